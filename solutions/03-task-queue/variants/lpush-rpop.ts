// Way: the mirror image: pushed on the left, taken from the right; a claim is a hash of its own, found through a sorted set.
import type { Redis } from 'ioredis'

const CLAIM = `
  local entry = redis.call('RPOP', 'task:queue')
  if not entry then return nil end
  local n = redis.call('INCR', 'task:claims:counter')
  local t = redis.call('TIME')
  redis.call('HSET', 'task:claim:' .. n, 'worker', ARGV[1], 'entry', entry)
  redis.call('ZADD', 'task:claims', t[1] .. '.' .. string.format('%06d', t[2]), n)
  return { tostring(n), entry }
`
const ACK = `
  if redis.call('ZREM', 'task:claims', ARGV[1]) == 0 then return 0 end
  if ARGV[2] == 'dead' then redis.call('LPUSH', 'task:queue:dead', redis.call('HGET', 'task:claim:' .. ARGV[1], 'entry')) end
  return redis.call('DEL', 'task:claim:' .. ARGV[1])
`
const REQUEUE = `
  local t = redis.call('TIME')
  local limit = t[1] + t[2] / 1000000 - ARGV[1] / 1000
  local numbers = redis.call('ZRANGEBYSCORE', 'task:claims', '-inf', string.format('(%.6f', limit))
  for i = #numbers, 1, -1 do
    redis.call('RPUSH', 'task:queue', redis.call('HGET', 'task:claim:' .. numbers[i], 'entry'))
    redis.call('DEL', 'task:claim:' .. numbers[i])
    redis.call('ZREM', 'task:claims', numbers[i])
  end
  return #numbers
`

/** Puts the task into the list `task:queue`, on the left; it never expires. */
export function addTask(redis: Redis, task: object): Promise<number> {
  if (typeof task !== 'object' || task === null) return Promise.reject(new TypeError('task must be an object'))
  return redis.lpush('task:queue', JSON.stringify(task))
}

/** Takes the rightmost task of `task:queue`; malformed entries are moved to `task:queue:dead`. */
export function getNextTask(redis: Redis): Promise<object | null> {
  return redis.rpop('task:queue').then((entry) => {
    if (entry === null) return null
    const task = read(entry)
    return task ?? redis.lpush('task:queue:dead', entry).then(() => getNextTask(redis))
  })
}

/** The length of `task:queue`. */
export function getQueueLength(redis: Redis): Promise<number> {
  return redis.llen('task:queue')
}

/** One script moves a task from `task:queue` to `task:claim:{n}` and `task:claims`, which never expire. */
export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  if (typeof workerId !== 'string') throw new TypeError('workerId must be a string')
  if (!workerId) throw new RangeError('workerId must not be empty')
  const reply = (await redis.eval(CLAIM, 0, workerId)) as [string, string] | null
  if (reply === null) return null
  const [receipt, entry] = reply
  const task = read(entry)
  if (task) return { receipt, task }
  await redis.eval(ACK, 0, receipt, 'dead')
  return claimTask(redis, workerId)
}

/** Removes `task:claim:{receipt}`; false if it is gone. */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('receipt must be a string')
  return Boolean(await redis.eval(ACK, 0, receipt, ''))
}

/** Puts stale claims back to the right end of `task:queue`, the first claimed outermost. */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number') throw new TypeError('olderThanMs must be a number')
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0) throw new RangeError('olderThanMs is out of range')
  return Number(await redis.eval(REQUEUE, 0, olderThanMs))
}

function read(entry: string): object | null {
  try {
    return Object(JSON.parse(entry)) as object
  } catch {
    return null
  }
}

// Way: claims are members of one sorted set, scored by the server's time; the receipt is the member, entry included.
import type { Redis } from 'ioredis'

const QUEUE = 'task:queue'
const CLAIMED = 'task:claimed'
const DEAD = 'task:queue:dead'

const CLAIM = `
  local entry = redis.call('LPOP', KEYS[1])
  if not entry then return false end
  local t = redis.call('TIME')
  local now = string.format('%d%06d', t[1], t[2])
  local receipt = now .. ' ' .. entry
  -- Two claims in one microsecond: the later one takes the next free one.
  while redis.call('ZADD', KEYS[2], 'NX', now, receipt) == 0 do
    now = string.format('%.0f', now + 1)
    receipt = now .. ' ' .. entry
  end
  return { receipt, entry }
`
const REQUEUE = `
  local t = redis.call('TIME')
  local now = t[1] * 1000 + t[2] / 1000
  local stale = redis.call('ZREVRANGEBYSCORE', KEYS[2], string.format('(%.0f', (now - ARGV[1]) * 1000), '-inf')
  for _, receipt in ipairs(stale) do
    redis.call('LPUSH', KEYS[1], string.sub(receipt, string.find(receipt, ' ') + 1))
    redis.call('ZREM', KEYS[2], receipt)
  end
  return #stale
`

/** Appends to the list `task:queue`, which never expires. */
export const addTask = async (redis: Redis, task: object): Promise<number> => {
  if (task === null || typeof task !== 'object') throw new TypeError('task must be an object')
  return await redis.rpush(QUEUE, JSON.stringify(task))
}

/** Pops from the list `task:queue`; malformed entries go to `task:queue:dead`. */
export const getNextTask = async (redis: Redis): Promise<object | null> => {
  const entry = await redis.lpop(QUEUE)
  if (entry === null) return null
  const task = parse(entry)
  if (task) return task
  await redis.rpush(DEAD, entry)
  return getNextTask(redis)
}

/** The length of the list `task:queue`. */
export const getQueueLength = async (redis: Redis): Promise<number> => redis.llen(QUEUE)

/** Moves from `task:queue` to the sorted set `task:claimed` in one script; neither expires. */
export const claimTask = async (redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> => {
  if (typeof workerId !== 'string' || workerId === '') throw new TypeError('workerId must be a non-empty string')
  const reply = (await redis.eval(CLAIM, 2, QUEUE, CLAIMED)) as [string, string] | null
  if (!reply) return null
  const task = parse(reply[1])
  if (task) return { receipt: reply[0], task }
  await redis.multi().zrem(CLAIMED, reply[0]).rpush(DEAD, reply[1]).exec()
  return claimTask(redis, workerId)
}

/** Removes the claim from `task:claimed`: one atomic command. */
export const ackTask = async (redis: Redis, receipt: string): Promise<boolean> => {
  if (typeof receipt !== 'string') throw new TypeError('receipt must be a string')
  return (await redis.zrem(CLAIMED, receipt)) > 0
}

/** Moves stale claims back to the front of `task:queue` in one script. */
export const requeueStale = async (redis: Redis, olderThanMs: number): Promise<number> => {
  if (typeof olderThanMs !== 'number' || Number.isNaN(olderThanMs)) throw new TypeError('olderThanMs must be a number')
  if (olderThanMs < 0 || olderThanMs === Infinity) throw new RangeError('olderThanMs must be finite and not negative')
  return (await redis.eval(REQUEUE, 2, QUEUE, CLAIMED, olderThanMs)) as number
}

function parse(entry: string): object | undefined {
  try {
    return JSON.parse(entry) as object
  } catch {
    return undefined
  }
}

// Way: sorted by sequence number; what goes back has its old number, which is lower than those that wait.
import type { Redis } from 'ioredis'

const KEYS = ['task:waiting', 'task:texts', 'task:last', 'task:claims', 'task:claimed-at']
const LOCALS = `
  local waiting, texts, last, claims, claimedAt = unpack(KEYS)
  local function now()
    local t = redis.call('TIME')
    return t[1] * 1000 + t[2] / 1000
  end
`
const ADD = `${LOCALS}
  local id = redis.call('INCR', last)
  redis.call('HSET', texts, id, ARGV[1])
  redis.call('ZADD', waiting, id, id)
  return redis.call('ZCARD', waiting)
`
const NEXT = `${LOCALS}
  local id = redis.call('ZPOPMIN', waiting)[1]
  if not id then return nil end
  local text = redis.call('HGET', texts, id)
  redis.call('HDEL', texts, id)
  return text
`
const CLAIM = `${LOCALS}
  local id = redis.call('ZPOPMIN', waiting)[1]
  if not id then return nil end
  local receipt = id .. '-' .. redis.call('INCR', last) .. '-' .. ARGV[1]
  redis.call('HSET', claims, receipt, id)
  redis.call('ZADD', claimedAt, string.format('%.3f', now()), receipt)
  return { receipt, redis.call('HGET', texts, id) }
`
const ACK = `${LOCALS}
  local id = redis.call('HGET', claims, ARGV[1])
  if not id then return 0 end
  redis.call('HDEL', claims, ARGV[1])
  redis.call('ZREM', claimedAt, ARGV[1])
  return redis.call('HDEL', texts, id)
`
const REQUEUE = `${LOCALS}
  local stale = redis.call('ZREVRANGEBYSCORE', claimedAt, string.format('(%.3f', now() - ARGV[1]), '-inf')
  for _, receipt in ipairs(stale) do
    local id = redis.call('HGET', claims, receipt)
    redis.call('ZADD', waiting, id, id)
    redis.call('HDEL', claims, receipt)
    redis.call('ZREM', claimedAt, receipt)
  end
  return #stale
`

/** A task in the hash `task:texts`, its turn in the sorted set `task:waiting`; nothing expires. One script. */
export async function addTask(redis: Redis, task: object): Promise<number> {
  if (typeof task !== 'object' || task === null) throw new TypeError('task must be an object')
  return Number(await run(redis, ADD, JSON.stringify(task)))
}

/** Takes the lowest of `task:waiting` and its text, in one script. */
export async function getNextTask(redis: Redis): Promise<object | null> {
  const text = await run(redis, NEXT)
  return typeof text === 'string' ? (JSON.parse(text) as object) : null
}

/** How many are in `task:waiting`. */
export async function getQueueLength(redis: Redis): Promise<number> {
  return redis.zcard('task:waiting')
}

/** Moves the lowest of `task:waiting` to `task:claims` and `task:claimed-at`, in one script; nothing expires. */
export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  if (typeof workerId !== 'string' || workerId === '') throw new TypeError('workerId must be a string that is not empty')
  const reply = (await run(redis, CLAIM, workerId)) as [string, string] | null
  return reply && { receipt: reply[0], task: JSON.parse(reply[1]) as object }
}

/** Ends a claim and forgets its text, in one script. */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('receipt must be a string')
  return (await run(redis, ACK, receipt)) === 1
}

/** Stale claims go back to their old place in `task:waiting`, in one script. */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number' || Number.isNaN(olderThanMs)) throw new TypeError('olderThanMs must be a number')
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0) throw new RangeError('olderThanMs must be finite, 0 or more')
  return Number(await run(redis, REQUEUE, String(olderThanMs)))
}

const run = (redis: Redis, script: string, ...args: string[]): Promise<unknown> => redis.eval(script, KEYS.length, ...KEYS, ...args)

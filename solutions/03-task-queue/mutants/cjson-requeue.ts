// Mistake: a claim is kept as cjson.encode of the decoded task: after requeueStale [] is {} and long numbers are cut
// Fails: requeued-tasks-go-first, claims-pass-malformed-entries-over
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

const QUEUE = 'task:queue'
const DEAD = 'task:queue:dead'
/** Hash: receipt → task text. */
const CLAIMED = 'task:claimed'
/** Sorted set: receipt → microseconds of the server's clock at the claim. */
const CLAIMED_AT = 'task:claimed-at'

const CLAIM = `
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known then return known end
local raw = redis.call('LPOP', KEYS[1])
if not raw then return false end
local time = redis.call('TIME')
local ok, body = pcall(cjson.decode, raw)
redis.call('HSET', KEYS[2], ARGV[1], ok and cjson.encode(body) or raw)
redis.call('ZADD', KEYS[3], time[1] * 1000000 + time[2], ARGV[1])
return raw`

const ACK = `
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])`

const BURY = `
local raw = redis.call('HGET', KEYS[1], ARGV[1])
if raw then
  redis.call('RPUSH', KEYS[3], raw)
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
end
return 1`

const REQUEUE = `
local time = redis.call('TIME')
local limit = time[1] * 1000000 + time[2] - ARGV[1] * 1000
local receipts = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. string.format('%.17g', limit))
for i = #receipts, 1, -1 do
  redis.call('LPUSH', KEYS[1], redis.call('HGET', KEYS[2], receipts[i]))
  redis.call('HDEL', KEYS[2], receipts[i])
  redis.call('ZREM', KEYS[3], receipts[i])
end
return #receipts`

function parse(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

/**
 * Puts a task at the end of the list `task:queue`, which never expires; resolves to its length. One atomic RPUSH.
 */
export async function addTask(redis: Redis, task: object): Promise<number> {
  if (typeof task !== 'object' || task === null) throw new TypeError('a task is an object')
  return redis.rpush(QUEUE, JSON.stringify(task))
}

/**
 * Takes the task at the head of `task:queue` (never expires), or null. At most once: popped is gone. Text that is no JSON goes
 * to the list `task:queue:dead`.
 */
export async function getNextTask(redis: Redis): Promise<object | null> {
  for (;;) {
    const text = await redis.lpop(QUEUE)
    if (text === null) return null
    const task = parse(text)
    if (task) return task
    await redis.rpush(DEAD, text)
  }
}

/** How many entries wait in `task:queue` (never expires). Claimed ones are not counted. */
export async function getQueueLength(redis: Redis): Promise<number> {
  return redis.llen(QUEUE)
}

/**
 * Moves the next task from `task:queue` to `task:claimed` and `task:claimed-at` in one script; none of them expires. Atomic,
 * and idempotent: when a reply is lost and the command is sent again, it gives the same task.
 */
export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  if (typeof workerId !== 'string') throw new TypeError('a worker id is a string')
  if (workerId === '') throw new RangeError('a worker id is not empty')
  for (;;) {
    const receipt = `${randomUUID()}@${workerId}`
    const text = await redis.eval(CLAIM, 3, QUEUE, CLAIMED, CLAIMED_AT, receipt)
    if (typeof text !== 'string') return null
    const task = parse(text)
    if (task) return { receipt, task }
    await redis.eval(BURY, 3, CLAIMED, CLAIMED_AT, DEAD, receipt)
  }
}

/**
 * Ends a claim: removes it from `task:claimed` and `task:claimed-at` (no expiry) in one script. False if it had ended.
 */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('a receipt is a string')
  return (await redis.eval(ACK, 2, CLAIMED, CLAIMED_AT, receipt)) === 1
}

/**
 * Puts stale claims back to the head of `task:queue`, oldest first, atomically. Nothing expires. Uses the server's clock.
 */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number') throw new TypeError('olderThanMs is a number')
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0) throw new RangeError('olderThanMs is a finite number from 0 up')
  return Number(await redis.eval(REQUEUE, 3, QUEUE, CLAIMED, CLAIMED_AT, olderThanMs))
}

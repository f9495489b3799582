// Mistake: waits for a task with BLPOP for a moment, and everybody on its connection with it.
// Fails: empty-queue-gives-null-at-once, malformed-entries-are-passed-over, nobody-is-held-up
import type { Redis } from 'ioredis'

const QUEUE = 'task:queue'
const DEAD = 'task:queue:dead'
/** Receipts of claimed tasks, scored by the server's time of the claim in microseconds. */
const CLAIMED = 'task:claimed'
/** Receipt → entry of the queue. */
const ENTRIES = 'task:claimed:entries'
const COUNTER = 'task:receipts'

/**
 * KEYS queue, claimed, entries, counter · ARGV worker · returns { receipt, entry } or nothing
 * The entry leaves the queue last: should a command fail, it is still there.
 */
const CLAIM = `
  local entry = redis.call('LINDEX', KEYS[1], 0)
  if not entry then return nil end
  local receipt = redis.call('INCR', KEYS[4]) .. '@' .. ARGV[1]
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[3], receipt, entry)
  redis.call('ZADD', KEYS[2], string.format('%.0f', time[1] * 1000000 + time[2]), receipt)
  redis.call('LPOP', KEYS[1])
  return { receipt, entry }
`

/** KEYS claimed, entries · ARGV receipt · returns 1, or 0 when nothing is claimed by this receipt */
const ACK = `
  redis.call('HDEL', KEYS[2], ARGV[1])
  return redis.call('ZREM', KEYS[1], ARGV[1])
`

/** KEYS claimed, entries, dead · ARGV receipt */
const BURY = `
  redis.call('RPUSH', KEYS[3], redis.call('HGET', KEYS[2], ARGV[1]))
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[1], ARGV[1])
`

/** KEYS queue, claimed, entries · ARGV age in µs · returns how many went back; the one claimed first ends up in front */
const REQUEUE = `
  local time = redis.call('TIME')
  local before = string.format('(%.0f', time[1] * 1000000 + time[2] - ARGV[1])
  local stale = redis.call('ZRANGE', KEYS[2], '-inf', before, 'BYSCORE')
  for i = #stale, 1, -1 do
    redis.call('LPUSH', KEYS[1], redis.call('HGET', KEYS[3], stale[i]))
    redis.call('HDEL', KEYS[3], stale[i])
    redis.call('ZREM', KEYS[2], stale[i])
  end
  return #stale
`

/** Appends the task to the list `task:queue`, which never expires; resolves to how many tasks wait now. */
export async function addTask(redis: Redis, task: object): Promise<number> {
  if (typeof task !== 'object' || task === null) throw new TypeError('a task must be an object')
  return redis.rpush(QUEUE, JSON.stringify(task))
}

/**
 * Takes the task that has waited longest off `task:queue`, atomically: nobody else gets it, and whoever dies with it in
 * hand loses it. Entries that hold no task go to `task:queue:dead`.
 */
export async function getNextTask(redis: Redis): Promise<object | null> {
  for (;;) {
    const popped = await redis.blpop(QUEUE, 1)
    if (popped === null) return null
    const [, entry] = popped
    const task = taskIn(entry)
    if (task !== null) return task
    await redis.rpush(DEAD, entry)
  }
}

/** How many tasks wait in `task:queue`; claimed ones do not. */
export async function getQueueLength(redis: Redis): Promise<number> {
  return redis.llen(QUEUE)
}

/**
 * Moves the next task from `task:queue` to the claims (`task:claimed` and `task:claimed:entries`, which never expire) in
 * one atomic step. There it outlives its worker, until it is acknowledged or put back: delivery is at least once.
 */
export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  if (typeof workerId !== 'string') throw new TypeError('workerId must be a string')
  if (workerId === '') throw new RangeError('workerId must not be empty')
  for (;;) {
    const claim = (await redis.eval(CLAIM, 4, QUEUE, CLAIMED, ENTRIES, COUNTER, workerId)) as [string, string] | null
    if (claim === null) return null
    const [receipt, entry] = claim
    const task = taskIn(entry)
    if (task !== null) return { receipt, task }
    await redis.eval(BURY, 3, CLAIMED, ENTRIES, DEAD, receipt)
  }
}

/** Ends a claim, atomically; false when it has ended already: acknowledged before, or put back into the queue. */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('receipt must be a string')
  return (await redis.eval(ACK, 2, CLAIMED, ENTRIES, receipt)) === 1
}

/**
 * Puts tasks claimed more than `olderThanMs` ago, by the server's clock, back to the front of `task:queue` in the order
 * they were claimed: one atomic step. Their receipts are worth nothing from then on.
 */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number') throw new TypeError('olderThanMs must be a number')
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0) throw new RangeError('olderThanMs must be finite and not negative')
  return Number(await redis.eval(REQUEUE, 3, QUEUE, CLAIMED, ENTRIES, olderThanMs * 1000))
}

function taskIn(entry: string): object | null {
  try {
    const value: unknown = JSON.parse(entry)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

// Mistake: what goes back later comes after what went back before, although it comes ahead of all that waits
// Fails: requeued-tasks-go-first
import type { Redis } from 'ioredis'

/*
 * Two lists: `task:returned` holds what was put back, `task:queue` what was added. Claims are kept in a stream,
 * `task:claims`, whose ids are the receipts and carry the server's time; fields: the task, and the exact microsecond.
 */
const RETURNED = 'task:returned'
const QUEUE = 'task:queue'
const DEAD = 'task:queue:dead'
const CLAIMS = 'task:claims'

const TAKE = `return redis.call('LPOP', KEYS[1]) or redis.call('LPOP', KEYS[2])`

const CLAIM = `
local text = redis.call('LPOP', KEYS[1]) or redis.call('LPOP', KEYS[2])
if not text then return nil end
local t = redis.call('TIME')
local id = redis.call('XADD', KEYS[3], '*', 'task', text, 'us', t[1] * 1000000 + t[2], 'worker', ARGV[1])
return {id, text}`

const DROP = `
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not found then return 0 end
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('RPUSH', KEYS[2], found[2][2])
return 1`

const REQUEUE = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local stale = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
  if now - tonumber(entry[2][4]) > tonumber(ARGV[1]) * 1000 then
    stale[#stale + 1] = entry
  end
end
for i = 1, #stale do
  redis.call('RPUSH', KEYS[2], stale[i][2][2])
  redis.call('XDEL', KEYS[1], stale[i][1])
end
return #stale`

const parsed = (text: string): { task: object } | null => {
  try {
    const task: unknown = JSON.parse(text)
    return typeof task === 'object' && task !== null ? { task } : null
  } catch {
    return null
  }
}

/** Appends to `task:queue` and gives the number of tasks that wait there and in `task:returned`; no expiry, one MULTI. */
export async function addTask(redis: Redis, task: object): Promise<number> {
  if (typeof task !== 'object' || task === null) throw new TypeError('task')
  const replies = await redis.multi().rpush(QUEUE, JSON.stringify(task)).llen(RETURNED).exec()
  return sum(replies)
}

/** Takes the first task of `task:returned`, else of `task:queue`; what is no JSON goes to `task:queue:dead`. No expiry. */
export async function getNextTask(redis: Redis): Promise<object | null> {
  const text = await redis.eval(TAKE, 2, RETURNED, QUEUE)
  if (typeof text !== 'string') return null
  const found = parsed(text)
  if (found) return found.task
  await redis.rpush(DEAD, text)
  return getNextTask(redis)
}

/** How many tasks wait in `task:returned` and `task:queue` (no expiry), at one moment. */
export async function getQueueLength(redis: Redis): Promise<number> {
  return sum(await redis.multi().llen(QUEUE).llen(RETURNED).exec())
}

/** Moves the next task into the stream `task:claims` in one script; its id is the receipt. Never trimmed, no expiry. */
export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  if (typeof workerId !== 'string' || workerId === '') throw new TypeError('workerId')
  const reply = await redis.eval(CLAIM, 3, RETURNED, QUEUE, CLAIMS, workerId)
  if (!Array.isArray(reply)) return null
  const receipt = String(reply[0])
  const found = parsed(String(reply[1]))
  if (found) return { receipt, task: found.task }
  await redis.eval(DROP, 2, CLAIMS, DEAD, receipt)
  return claimTask(redis, workerId)
}

/** Deletes the entry of the stream `task:claims` (no expiry); one command, so one of many callers gets true. */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('receipt')
  if (!/^\d{1,19}-\d{1,19}$/.test(receipt)) return false
  return (await redis.xdel(CLAIMS, receipt)) === 1
}

/** Moves stale entries of `task:claims` to the head of `task:returned`, in order, in one script. No expiry. */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number') throw new TypeError('olderThanMs')
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0) throw new RangeError('olderThanMs')
  return Number(await redis.eval(REQUEUE, 2, CLAIMS, RETURNED, olderThanMs))
}

function sum(replies: Array<[error: Error | null, result: unknown]> | null): number {
  if (!replies) throw new Error('the transaction was discarded')
  return replies.reduce((total, [error, result]) => {
    if (error) throw error
    return total + Number(result)
  }, 0)
}

// Way: no script at all: a list for each claim, and a stream whose ids are the server's times of the claims.
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

const QUEUE = 'task:queue'
const DEAD = 'task:queue:dead'
/** An entry for each claim; its id is the server's time in milliseconds, and a number. */
const CLAIMS = 'task:claims'
const listOf = (claim: string): string => `task:claim:${claim}`

/** Appends a unique name and the task to the list `task:queue`, which does not expire. */
export async function addTask(redis: Redis, task: object): Promise<number> {
  if (typeof task !== 'object' || task === null) throw new TypeError('task must be an object')
  return redis.rpush(QUEUE, `${randomUUID()} ${JSON.stringify(task)}`)
}

/** Pops the first of `task:queue`; what is malformed goes to `task:queue:dead`. */
export async function getNextTask(redis: Redis): Promise<object | null> {
  for (let entry = await redis.lpop(QUEUE); entry !== null; entry = await redis.lpop(QUEUE)) {
    const task = parsed(entry)
    if (task) return task
    await redis.rpush(DEAD, entry)
  }
  return null
}

/** The length of `task:queue`. */
export async function getQueueLength(redis: Redis): Promise<number> {
  return redis.llen(QUEUE)
}

/** One transaction: LMOVE from `task:queue` to `task:claim:{uuid}`, and a note in the stream `task:claims`. No expiry. */
export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  if (typeof workerId !== 'string') throw new TypeError('workerId must be a string')
  if (workerId === '') throw new RangeError('workerId must not be empty')
  const claim = randomUUID()
  const [entry, id] = await transaction(redis.multi().lmove(QUEUE, listOf(claim), 'LEFT', 'RIGHT').xadd(CLAIMS, '*', 'claim', claim, 'worker', workerId))
  if (typeof entry !== 'string') return null
  const receipt = `${String(id)} ${claim} ${entry}`
  const task = parsed(entry)
  if (task) return { receipt, task }
  await transaction(redis.multi().lmove(listOf(claim), DEAD, 'LEFT', 'RIGHT').xdel(CLAIMS, String(id)))
  return claimTask(redis, workerId)
}

/** Removes the entry from `task:claim:{uuid}`; false if it is not there any more. */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('receipt must be a string')
  const [id = '0', claim = '', ...words] = receipt.split(' ')
  // By its entry: a claim sent again after a lost reply has taken two.
  const [removed] = await transaction(redis.multi().lrem(listOf(claim), 1, words.join(' ')).xdel(CLAIMS, id))
  return removed === 1
}

/** Moves each stale claim back to the front of `task:queue`, one atomic LMOVE after the other, the last claimed first. */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number') throw new TypeError('olderThanMs must be a number')
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0) throw new RangeError('olderThanMs must be finite and 0 or more')
  const [seconds, microseconds] = await redis.time()
  const now = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
  const last = Math.ceil(now - olderThanMs) - 1
  if (last < 0) return 0
  let count = 0
  for (const [id, fields] of await redis.xrevrange(CLAIMS, String(last), '-')) {
    const [moved] = await transaction(redis.multi().lmove(listOf(fields[1] ?? ''), QUEUE, 'LEFT', 'LEFT').xdel(CLAIMS, id))
    if (moved !== null) count++
  }
  return count
}

async function transaction(multi: ReturnType<Redis['multi']>): Promise<unknown[]> {
  const replies = (await multi.exec()) ?? []
  return replies.map(([error, reply]) => {
    if (error) throw error
    return reply
  })
}

function parsed(entry: string): object | null {
  try {
    return JSON.parse(entry.slice(entry.indexOf(' ') + 1)) as object | null
  } catch {
    return null
  }
}

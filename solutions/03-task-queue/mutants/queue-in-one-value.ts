// Mistake: keeps the whole queue as one JSON value, read and written back: additions at once overwrite each other.
// Fails: each-task-to-one-caller, adding-at-once-loses-nothing, order-holds-however-fast, queue-has-no-limit,
// Fails: adding-is-one-round-trip, taking-is-one-round-trip, claims-are-atomic, acknowledging-and-requeueing-agree,
// Fails: claiming-is-one-round-trip, acknowledging-is-one-round-trip, stale-claims-go-back-once
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

interface State { waiting: object[]; claimed: { receipt: string; at: number; task: object }[] }

/** Adds the task to the queue in `task:state`. */
export async function addTask(redis: Redis, task: object): Promise<number> {
  if (typeof task !== 'object' || task === null) throw new TypeError('task must be an object')
  return change(redis, ({ waiting }) => waiting.push(task))
}

/** Takes the first task of `task:state`. */
export async function getNextTask(redis: Redis): Promise<object | null> {
  return change(redis, ({ waiting }) => waiting.shift() ?? null)
}

/** How many tasks wait in `task:state`. */
export async function getQueueLength(redis: Redis): Promise<number> {
  return (await load(redis)).waiting.length
}

/** Moves the first task to the claims in `task:state`. */
export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  if (typeof workerId !== 'string') throw new TypeError('workerId must be a string')
  if (workerId === '') throw new RangeError('workerId must not be empty')
  const now = await serverTime(redis)
  return change(redis, ({ waiting, claimed }) => {
    const task = waiting.shift()
    if (!task) return null
    const receipt = randomUUID()
    claimed.push({ receipt, at: now, task })
    return { receipt, task }
  })
}

/** Removes the claim from `task:state`. */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('receipt must be a string')
  return change(redis, (state) => {
    const before = state.claimed.length
    state.claimed = state.claimed.filter((claim) => claim.receipt !== receipt)
    return state.claimed.length < before
  })
}

/** Moves stale claims back to the front in `task:state`. */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number') throw new TypeError('olderThanMs must be a number')
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0) throw new RangeError('olderThanMs must be finite and not negative')
  const now = await serverTime(redis)
  return change(redis, (state) => {
    const stale = state.claimed.filter(({ at }) => now - at > olderThanMs)
    state.claimed = state.claimed.filter(({ at }) => now - at <= olderThanMs)
    state.waiting.unshift(...stale.map(({ task }) => task))
    return stale.length
  })
}

async function change<T>(redis: Redis, edit: (state: State) => T): Promise<T> {
  const state = await load(redis)
  const result = edit(state)
  await redis.set('task:state', JSON.stringify(state))
  return result
}

async function load(redis: Redis): Promise<State> {
  const text = await redis.get('task:state')
  return text === null ? { waiting: [], claimed: [] } : (JSON.parse(text) as State)
}

async function serverTime(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time()
  return Number(seconds) * 1000 + Number(microseconds) / 1000
}

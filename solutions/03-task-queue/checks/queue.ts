import type { Redis } from 'ioredis'
import { both, CheckFailed, type Learner, nextMoment, plain, same, shown } from '#checks'
import type { Text } from '#catalog/text.ts'

/** A task of the checks, told apart by its name. */
export const task = (name: string): { name: string } => ({ name })
export const nameOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'name' in value ? value.name : value

export const add = (learner: Learner, value: object): Promise<unknown> => learner.call('addTask', learner.redis, value)
export const next = (learner: Learner): Promise<unknown> => learner.call('getNextTask', learner.redis)
export const lengthOf = async (learner: Learner): Promise<number> =>
  Number(await learner.call('getQueueLength', learner.redis))

export async function addAll(learner: Learner, names: readonly string[]): Promise<void> {
  for (const name of names) await add(learner, task(name))
}

/** The names of the next `n` tasks, or what else the code gave. */
export async function nextNames(learner: Learner, n: number): Promise<unknown[]> {
  const names: unknown[] = []
  for (let i = 0; i < n; i++) names.push(nameOf(await next(learner)))
  return names
}

export interface Claim { readonly receipt: unknown; readonly task: unknown }

export async function claim(learner: Learner, workerId = 'worker-1'): Promise<Claim | null> {
  const claimed = await plain(await learner.call('claimTask', learner.redis, workerId), ['receipt', 'task'])
  if (claimed === null) return null
  if (typeof claimed === 'object' && 'receipt' in claimed && 'task' in claimed) return { receipt: claimed.receipt, task: claimed.task }
  throw new CheckFailed(both(
    `claimTask must give { receipt, task } or null; it gave ${shown(claimed)}.`,
    `claimTask phải trả về { receipt, task } hoặc null; kết quả nhận được là ${shown(claimed)}.`),
  { expected: '{ receipt, task }', got: shown(claimed) })
}

/** A claim where a task is known to wait. */
export async function claimOne(learner: Learner, workerId?: string): Promise<Claim> {
  const claimed = await claim(learner, workerId)
  if (claimed !== null) return claimed
  throw new CheckFailed(both('claimTask gave null although a task was waiting.',
    'claimTask trả về null dù có công việc đang chờ.'), { expected: '{ receipt, task }', got: 'null' })
}

export const ack = async (learner: Learner, { receipt }: Claim): Promise<boolean> =>
  Boolean(await learner.call('ackTask', learner.redis, receipt))
export const requeue = async (learner: Learner, olderThanMs: number): Promise<number> =>
  Number(await learner.call('requeueStale', learner.redis, olderThanMs))

/** Longer ago than any claim of a check. */
export const LONG_MS = 1e12

/** Some code prepares something of its own at the first claim of a client. */
export async function warmUp(learner: Learner): Promise<void> {
  await claim(learner)
  await requeue(learner, LONG_MS)
}

/** Rounds of putting back: code may need one to notice a claim that it had not finished. */
const ROUNDS = 5

/**
 * Puts back every claim and takes everything there is, until there are as many tasks as `names`, and once more to see
 * that there are not too many. Returns their names in alphabetical order.
 */
export async function recovered(learner: Learner, redis: Redis, names: readonly string[]): Promise<unknown[]> {
  const found: unknown[] = []
  for (let round = 0, complete = false; round < ROUNDS && !complete; round++) {
    complete = found.length >= names.length
    await nextMoment(redis)
    await requeue(learner, 0)
    found.push(...(await nextNames(learner, Math.min(await lengthOf(learner), 2 * names.length))))
  }
  return found.map(String).toSorted()
}

/** Nothing is lost and nothing is there twice. */
export async function allRecovered(learner: Learner, redis: Redis, names: readonly string[], what: Text): Promise<void> {
  same(await recovered(learner, redis, names), names.toSorted(), what)
}

/** Keeps what is in the database, and returns what puts it there again after it was emptied. */
export async function snapshot(redis: Redis): Promise<() => Promise<void>> {
  const keys = await redis.keys('*')
  const kept = await Promise.all(keys.map(async (key) => ({ key, ms: await redis.pttl(key), dump: await redis.dumpBuffer(key) })))
  return async () => {
    await Promise.all(kept.map(({ key, ms, dump }) => redis.restore(key, Math.max(0, ms), dump!)))
  }
}

/** As if the time of every key that has an expiry had come. */
export async function letExpire(redis: Redis): Promise<void> {
  for (const key of await redis.keysBuffer('*')) if ((await redis.pttl(key)) !== -1) await redis.del(key)
}

import type { Redis } from 'ioredis'
import { both, CheckFailed, NotApplicable, type Learner } from '#checks'
import { settle, type Cached } from './cached.ts'

/** The keys that a call has left behind, in a database that holds nothing else than what learner code wrote. */
async function keysOf(redis: Redis, learner: Learner, call: () => Promise<unknown>): Promise<string[]> {
  const before = new Set(await redis.keys('*'))
  await call()
  await settle(learner)
  return (await redis.keys('*')).filter((key) => !before.has(key))
}

/** The same, where there must be some. */
export async function entryOf(redis: Redis, learner: Learner, cached: Cached, ...args: unknown[]): Promise<string[]> {
  const keys = await keysOf(redis, learner, () => cached.call(...args))
  if (keys.length > 0) return keys
  throw new CheckFailed(both('A call has left no entry in Redis.', 'Lời gọi không lưu lại gì trong Redis.'),
    { expected: both('an entry', 'một entry'), got: both('none', 'không có') })
}

/** Replaces what an entry holds by `garbage`, its expiry kept. */
export async function spoil(redis: Redis, key: string, garbage: (stored: Buffer) => Buffer | string): Promise<void> {
  const type = await redis.type(key)
  if (type === 'string') {
    await redis.set(key, garbage((await redis.getBuffer(key))!), 'KEEPTTL')
  } else if (type === 'hash') {
    for (const [field, stored] of Object.entries(await redis.hgetallBuffer(key))) await redis.hset(key, field, garbage(stored))
  } else {
    throw new NotApplicable(both(`Entries of type ${type} are not spoiled.`, `Không làm hỏng entry kiểu ${type}.`))
  }
}

/** Replaces a key by one of another type, its expiry kept: a list, or a string where there was a list. */
export async function retype(redis: Redis, key: string): Promise<void> {
  const [type, left] = [await redis.type(key), await redis.pttl(key)]
  await redis.del(key)
  if (type === 'list') await redis.set(key, 'planted')
  else await redis.rpush(key, 'planted')
  if (left > 0) await redis.pexpire(key, left)
}

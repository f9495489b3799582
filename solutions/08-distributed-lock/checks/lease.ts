import type { Redis } from 'ioredis'
import { both, until, type Instance, type Learner } from '#checks'

interface Options { ttlMs?: number; retryMs?: number; waitMs?: number }

/** Long enough to outlast any check, however slow the machine. */
export const LONG_MS = 600_000

export const lockOf = (learner: Learner, name: string, options?: Options): Promise<Instance> =>
  learner.make('DistributedLock', learner.redis, name, ...(options ? [options] : []))

/** A yes of any kind: that the answers are booleans is a promise with a check of its own. */
export const acquires = async (lock: Instance): Promise<boolean> => Boolean(await lock.call('acquire'))
export const releases = async (lock: Instance): Promise<boolean> => Boolean(await lock.call('release'))
export const extend = async (lock: Instance, ms: number): Promise<boolean> => Boolean(await lock.call('extend', ms))

/** The token of an acquisition that has just succeeded. */
export const tokenOf = async (lock: Instance): Promise<number> => Number((await lock.get('fencingToken')) ?? NaN)

/** Lets every lease end now, as if its time had passed; what has no expiry stays. */
export async function leasesEnd(redis: Redis): Promise<void> {
  const keys = await redis.keys('*')
  const lifetimes = await Promise.all(keys.map((key) => redis.pttl(key)))
  const ending = keys.filter((_, i) => lifetimes[i]! > 0)
  if (ending.length === 0) return
  await Promise.all(ending.map((key) => redis.pexpire(key, 1)))
  await until(async () => (await redis.exists(...ending)) === 0, both('the leases to end', 'thời hạn giữ khóa kết thúc'))
}

/** The keys that hold the lock, found by looking: they are there while it is held and gone when it is not. */
export async function leaseKeys(redis: Redis, lock: Instance): Promise<string[]> {
  await acquires(lock)
  const held = await redis.keys('*')
  await releases(lock)
  const left = new Set(await redis.keys('*'))
  const gone = held.filter((key) => !left.has(key))
  // A release that frees nothing has a check of its own.
  return gone.length > 0 ? gone : held
}

/** The time left of each of the keys that exist, in milliseconds; -1 stands for no expiry. */
export async function timeLeft(redis: Redis, keys: readonly string[]): Promise<number[]> {
  return (await Promise.all(keys.map((key) => redis.pttl(key)))).filter((ms) => ms !== -2)
}

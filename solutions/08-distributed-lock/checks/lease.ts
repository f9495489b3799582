import type { Redis } from 'ioredis'
import type { Instance, Learner } from '#checks'

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

/** One step, so that no command of a learner comes in between. */
const END = `
  local ended = 0
  for _, key in ipairs(#KEYS > 0 and KEYS or redis.call('KEYS', '*')) do
    if redis.call('PTTL', key) > 0 then ended = ended + redis.call('DEL', key) end
  end
  return ended
`

/** Lets leases end now, as if their time had passed; what has no expiry stays. Tells how many keys are gone. */
export async function leasesEnd(redis: Redis, keys: readonly string[] = []): Promise<number> {
  return Number(await redis.eval(END, keys.length, ...keys))
}

/** The keys that hold the lock, found by looking: there, with an expiry, while it is held, and gone when it is not. */
export async function leaseKeys(redis: Redis, lock: Instance): Promise<string[]> {
  await acquires(lock)
  const held = await redis.keys('*')
  const lifetimes = await Promise.all(held.map((key) => redis.pttl(key)))
  await releases(lock)
  const left = new Set(await redis.keys('*'))
  const gone = held.filter((key) => !left.has(key))
  const mortal = gone.filter((key) => lifetimes[held.indexOf(key)]! > 0)
  // A lease without expiry, and a release that frees nothing, have checks of their own.
  return [mortal, gone, held].find((keys) => keys.length > 0) ?? []
}

/** The time left of each of the keys that exist, in milliseconds; -1 stands for no expiry. */
export async function timeLeft(redis: Redis, keys: readonly string[]): Promise<number[]> {
  return (await Promise.all(keys.map((key) => redis.pttl(key)))).filter((ms) => ms !== -2)
}

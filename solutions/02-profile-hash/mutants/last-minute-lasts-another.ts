// Mistake: a profile that is read in its last minute is kept for another one.
// Fails: reading-keeps-the-expiry
import type { Redis } from 'ioredis'

const TTL_SECONDS = 3600

/** KEYS[1] the profile · ARGV[1] the field · ARGV[2] its value */
const UPDATE = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  return 1
`

/** Replaces the hash `user:{id}:profile` in one transaction and lets it expire after 3600 s. */
export async function saveUserProfile(redis: Redis, userId: number, profile: Record<string, string>): Promise<void> {
  const key = keyOf(userId)
  checkProfile(profile)
  const replies = await redis.multi().del(key).hset(key, profile).expire(key, TTL_SECONDS).exec()
  for (const [error] of replies ?? []) if (error) throw error
}

/** The hash `user:{id}:profile`, or null when there is none. */
export async function getUserProfile(redis: Redis, userId: number): Promise<Record<string, string> | null> {
  const key = keyOf(userId)
  const replies = await redis.multi().hgetall(key).expire(key, 60, 'GT').exec()
  for (const [error] of replies ?? []) if (error) throw error
  const profile = replies?.[0]?.[1] as Record<string, string>
  return Object.keys(profile).length === 0 ? null : profile
}

/** Sets one field of the hash `user:{id}:profile` if that exists, in one atomic step; false if not. */
export async function updateUserField(redis: Redis, userId: number, field: string, value: string): Promise<boolean> {
  const key = keyOf(userId)
  checkString('field', field)
  checkString('value', value)
  return (await redis.eval(UPDATE, 1, key, field, value)) === 1
}

function keyOf(userId: number): string {
  if (typeof userId !== 'number') throw new TypeError('userId must be a number')
  if (!Number.isSafeInteger(userId) || userId < 1) throw new RangeError('userId must be a positive integer')
  return `user:${userId}:profile`
}

function checkProfile(profile: Record<string, string>): void {
  if (typeof profile !== 'object' || profile === null) throw new TypeError('profile must be an object')
  const fields = Object.entries(profile)
  if (fields.length === 0) throw new RangeError('profile must have a field')
  for (const [field, value] of fields) checkString(field, value)
}

function checkString(name: string, value: string): void {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string`)
}

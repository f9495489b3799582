// Mistake: an update reads the profile and saves it again.
// Fails: update-keeps-the-expiry, concurrent-updates-are-all-kept, updating-is-one-round-trip,
// Fails: update-brings-nothing-back
import type { Redis } from 'ioredis'

const TTL_SECONDS = 3600

/** Replaces the hash `user:{id}:profile` in one transaction and lets it expire after 3600 s. */
export async function saveUserProfile(redis: Redis, userId: number, profile: Record<string, string>): Promise<void> {
  const key = keyOf(userId)
  checkProfile(profile)
  const replies = await redis.multi().del(key).hset(key, profile).expire(key, TTL_SECONDS).exec()
  for (const [error] of replies ?? []) if (error) throw error
}

/** The hash `user:{id}:profile`, or null when there is none. */
export async function getUserProfile(redis: Redis, userId: number): Promise<Record<string, string> | null> {
  const profile = await redis.hgetall(keyOf(userId))
  return Object.keys(profile).length === 0 ? null : profile
}

/** Sets one field of the hash `user:{id}:profile` if that exists, in one atomic step; false if not. */
export async function updateUserField(redis: Redis, userId: number, field: string, value: string): Promise<boolean> {
  checkString('field', field)
  checkString('value', value)
  const profile = await getUserProfile(redis, userId)
  if (profile === null) return false
  await saveUserProfile(redis, userId, { ...profile, [field]: value })
  return true
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

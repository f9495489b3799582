// Mistake: an update takes a field without a name for none, though a save does not.
// Fails: empty-values-are-kept
import type { Redis } from 'ioredis'

const TTL_SECONDS = 3600

/**
 * Asks and sets in one step: between the two nobody can delete the profile. HSET leaves the expiry as it is.
 *
 * KEYS[1] the profile · ARGV[1] the field · ARGV[2] its value
 * Returns 1, or 0 when there is no profile.
 */
const UPDATE = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  return 1
`

/**
 * Replaces the hash `user:{id}:profile` and lets it expire after 3600 s. One transaction: others see the old profile or
 * the new one, and a crash leaves one of the two, never one without an expiry.
 */
export async function saveUserProfile(redis: Redis, userId: number, profile: Record<string, string>): Promise<void> {
  const key = keyOf(userId)
  checkProfile(profile)
  const replies = await redis.multi().del(key).hset(key, profile).expire(key, TTL_SECONDS).exec()
  // exec() resolves although a command in it failed.
  for (const [error] of replies ?? []) if (error) throw error
}

/** The hash `user:{id}:profile`, or null when there is none. Its expiry stays as it is. */
export async function getUserProfile(redis: Redis, userId: number): Promise<Record<string, string> | null> {
  const profile = await redis.hgetall(keyOf(userId))
  // Redis has no empty hashes: no fields means no profile.
  return Object.keys(profile).length === 0 ? null : profile
}

/**
 * Sets one field of the hash `user:{id}:profile` if that exists; false, and nothing created, if not. One atomic script;
 * the expiry stays as it is.
 */
export async function updateUserField(redis: Redis, userId: number, field: string, value: string): Promise<boolean> {
  const key = keyOf(userId)
  checkString('field', field)
  if (field === '') throw new TypeError('field must have a name')
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

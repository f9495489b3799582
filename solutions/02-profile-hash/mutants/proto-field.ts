// Mistake: a field named __proto__ is lost in reading (plain assignment)
// Fails: values-come-back-byte-for-byte
import type { Redis } from 'ioredis'

const TTL_SECONDS = 3600

const SAVE = `
redis.call('DEL', KEYS[1])
local last = #ARGV
for from = 2, last, 1000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, from, math.min(from + 999, last)))
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
`

const UPDATE = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`

function keyOf(userId: number): string {
  if (typeof userId !== 'number') throw new TypeError('userId must be a number')
  if (!Number.isSafeInteger(userId) || userId <= 0) throw new RangeError('userId must be a positive safe integer')
  return `user:${userId}:profile`
}

/**
 * Replaces the whole profile in the hash `user:{userId}:profile` and lets it expire after 3600 seconds.
 * One script, hence one atomic step: readers and crashes see the old profile or the new one.
 */
export async function saveUserProfile(redis: Redis, userId: number, profile: Record<string, string>): Promise<void> {
  const key = keyOf(userId)
  if (typeof profile !== 'object' || profile === null || Array.isArray(profile)) {
    throw new TypeError('profile must be an object')
  }
  const entries = Object.entries(profile)
  if (entries.length === 0) throw new RangeError('profile must have a field')
  for (const [field, value] of entries) {
    if (typeof value !== 'string') throw new TypeError(`${field} must be a string`)
  }
  await redis.eval(SAVE, 1, key, TTL_SECONDS, ...entries.flat())
}

/** Reads the hash `user:{userId}:profile`; null when it is not there. Its expiry (3600 s from the save) stays as it is. */
export async function getUserProfile(redis: Redis, userId: number): Promise<Record<string, string> | null> {
  const stored = await redis.hgetall(keyOf(userId))
  const profile: Record<string, string> = {}
  for (const [field, value] of Object.entries(stored)) profile[field] = value
  return Object.keys(stored).length === 0 ? null : profile
}

/**
 * Sets one field of `user:{userId}:profile` if the profile is there, in one atomic step (a script). The expiry stays as
 * it is. False, and nothing is created, when there is no profile.
 */
export async function updateUserField(redis: Redis, userId: number, field: string, value: string): Promise<boolean> {
  const key = keyOf(userId)
  if (typeof field !== 'string' || typeof value !== 'string') throw new TypeError('field and value must be strings')
  return (await redis.eval(UPDATE, 1, key, field, value)) === 1
}

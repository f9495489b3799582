// Mistake: what most tutorials print: HSET, then EXPIRE; a save merges, an update is a bare HSET, and nothing is
//          checked.
// Fails: save-replaces-the-whole-profile, update-creates-nothing, bad-ids-are-refused, empty-profile-is-refused,
// Fails: bad-values-are-refused, bad-updates-are-refused, saving-is-one-round-trip, crash-leaves-an-expiry,
// Fails: update-brings-nothing-back
import type { Redis } from 'ioredis'

/** Saves the profile for an hour. */
export async function saveUserProfile(redis: Redis, userId: number, profile: Record<string, string>): Promise<void> {
  const key = `user:${userId}:profile`
  await redis.hset(key, profile)
  await redis.expire(key, 3600)
}

/** The profile, or null. */
export async function getUserProfile(redis: Redis, userId: number): Promise<Record<string, string> | null> {
  const profile = await redis.hgetall(`user:${userId}:profile`)
  return Object.keys(profile).length > 0 ? profile : null
}

/** Updates one field. */
export async function updateUserField(redis: Redis, userId: number, field: string, value: string): Promise<boolean> {
  await redis.hset(`user:${userId}:profile`, field, value)
  return true
}

// Way: one script for both ways of writing; the save names the moment of expiry by the server's clock.
import type { Redis } from 'ioredis'

const WRITE = `
  if ARGV[1] == 'update' then
    if redis.call('PTTL', KEYS[1]) == -2 then return 0 end
    return 1 + redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
  end
  local staging = KEYS[1] .. ':staging'
  for i = 2, #ARGV, 2 do redis.call('HSET', staging, ARGV[i], ARGV[i + 1]) end
  redis.call('EXPIREAT', staging, redis.call('TIME')[1] + 3600)
  redis.call('RENAME', staging, KEYS[1])
  return 1
`

/** Replaces the hash `user:{id}:profile` in one transaction and lets it expire after 3600 s. */
export async function saveUserProfile(redis: Redis, userId: number, profile: Record<string, string>): Promise<void> {
  const key = keyOf(userId)
  checkProfile(profile)
  await redis.eval(WRITE, 1, key, 'save', ...Object.entries(profile).flat())
}

/** The hash `user:{id}:profile`, or null when there is none. */
export async function getUserProfile(redis: Redis, userId: number): Promise<Record<string, string> | null> {
  const profile = await redis.hgetall(keyOf(userId))
  return Object.keys(profile).length === 0 ? null : profile
}

/** Sets one field of the hash `user:{id}:profile` if that exists, in one atomic step; false if not. */
export async function updateUserField(redis: Redis, userId: number, field: string, value: string): Promise<boolean> {
  const key = keyOf(userId)
  checkString('field', field)
  checkString('value', value)
  return Number(await redis.eval(WRITE, 1, key, 'update', field, value)) > 0
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

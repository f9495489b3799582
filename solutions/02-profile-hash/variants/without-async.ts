// Way: promises by hand: what is wrong is a rejected promise, and replies are looked at in then().
import type { Redis } from 'ioredis'

const TTL_SECONDS = 3600

/** KEYS[1] the profile · ARGV[1] the field · ARGV[2] its value */
const UPDATE = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  return 1
`

/** Replaces the hash `user:{id}:profile` in one transaction and lets it expire after 3600 s. */
export function saveUserProfile(redis: Redis, userId: number, profile: Record<string, string>): Promise<void> {
  return checked(() => {
    checkProfile(profile)
    return keyOf(userId)
  }).then((key) => redis.multi([['del', key], ['hset', key, ...Object.entries(profile).flat()], ['pexpire', key, String(TTL_SECONDS * 1000)]]).exec())
    .then((replies) => {
      const failed = replies?.find(([error]) => error !== null)
      if (failed?.[0]) throw failed[0]
    })
}

/** The hash `user:{id}:profile`, or null when there is none. */
export function getUserProfile(redis: Redis, userId: number): Promise<Record<string, string> | null> {
  return checked(() => keyOf(userId))
    .then((key) => redis.hgetall(key))
    .then((profile) => (Object.keys(profile).length > 0 ? profile : null))
}

/** Sets one field of the hash `user:{id}:profile` if that exists, in one atomic step; false if not. */
export function updateUserField(redis: Redis, userId: number, field: string, value: string): Promise<boolean> {
  return checked(() => {
    checkString('field', field)
    checkString('value', value)
    return keyOf(userId)
  }).then((key) => redis.eval(UPDATE, 1, key, field, value)).then((reply) => reply === 1)
}

function checked(key: () => string): Promise<string> {
  return new Promise((resolve) => resolve(key()))
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

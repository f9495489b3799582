import type { Redis } from 'ioredis'
import { plain, type Learner } from '#checks'

export type Profile = Readonly<Record<string, string>>

export const keyOf = (userId: number): string => `user:${userId}:profile`

/** Two profiles that share a field; each has fields that the other one lacks. */
export const OLD: Profile = { name: 'Ann', city: 'Hue', phone: 'none' }
export const NEW: Profile = { name: 'Bob', email: 'bob@example.org' }

export function save(learner: Learner, userId: number, profile: Profile): Promise<unknown> {
  return learner.call('saveUserProfile', learner.redis, userId, profile)
}

/** The profile; null when there is none, whatever the code makes of that: it is a promise of its own. */
export async function read(learner: Learner, userId: number): Promise<unknown> {
  const profile = await plain(await learner.call('getUserProfile', learner.redis, userId))
  const nothing = profile === undefined || (typeof profile === 'object' && profile !== null && Object.keys(profile).length === 0)
  return nothing ? null : profile
}

export function update(learner: Learner, userId: number, field: string, value: string): Promise<unknown> {
  return learner.call('updateUserField', learner.redis, userId, field, value)
}

/** What is there: the profile, and whether it will go by itself. */
export async function state(learner: Learner, redis: Redis, userId: number): Promise<{ profile: unknown; expires: boolean }> {
  return { profile: await read(learner, userId), expires: (await redis.pexpiretime(keyOf(userId))) >= 0 }
}

import type { Redis } from 'ioredis'

export async function saveUserProfile(redis: Redis, userId: number, profile: Record<string, string>): Promise<void> {
  throw new Error('TODO: replace the whole profile, and let it expire')
}

export async function getUserProfile(redis: Redis, userId: number): Promise<Record<string, string> | null> {
  throw new Error('TODO: the profile, or null')
}

export async function updateUserField(redis: Redis, userId: number, field: string, value: string): Promise<boolean> {
  throw new Error('TODO: set one field of a profile that exists')
}

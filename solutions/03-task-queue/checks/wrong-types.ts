import type { Redis } from 'ioredis'
import { plantWrongType } from '#checks'

/** Replaces every key by one of another type. */
export async function plantWrongTypes(redis: Redis): Promise<void> {
  for (const key of await redis.keysBuffer('*')) await plantWrongType(redis, key)
}

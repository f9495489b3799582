import type { Redis } from 'ioredis'
import { plantWrongType, type Command } from '#checks'

/** Replaces every key by one of another type. */
export async function plantWrongTypes(redis: Redis): Promise<void> {
  for (const key of await redis.keysBuffer('*')) await plantWrongType(redis, key)
}

/** The server refused a command for the type of a key. Other errors may be expected: of a group that is there already. */
export function hasWrongType(reply: Command['reply']): boolean {
  if (reply === null) return false
  if ('items' in reply) return reply.items.some(hasWrongType)
  return reply.type === 'error' && reply.text.includes('WRONGTYPE')
}

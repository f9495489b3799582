import type { Redis } from 'ioredis'
import type { Command } from '#wire/redis-wire.ts'

/** Replaces a key by one of another type: a list, or a string where there was a list. */
export async function plantWrongType(redis: Redis, key: string | Buffer): Promise<void> {
  const type = await redis.type(key)
  await redis.del(key)
  if (type === 'list') await redis.set(key, 'planted')
  else await redis.rpush(key, 'planted')
}

/** The server said that a command failed, alone or inside EXEC. A script that must be sent again is no failure. */
export function hasError(reply: Command['reply']): boolean {
  if (reply === null) return false
  if ('items' in reply) return reply.items.some(hasError)
  return reply.type === 'error' && !reply.text.startsWith('NOSCRIPT')
}

import type { Redis } from 'ioredis'

/** Replaces a key by one of another type: a list, or a string where there was a list. */
export async function plantWrongType(redis: Redis, key: string | Buffer): Promise<void> {
  const type = await redis.type(key)
  await redis.del(key)
  if (type === 'list') await redis.set(key, 'planted')
  else await redis.rpush(key, 'planted')
}

/** How many commands have met a wrong type so far, those inside scripts included, whatever became of the error there. */
export async function wrongTypesMet(redis: Redis): Promise<number> {
  return Number(/^errorstat_WRONGTYPE:count=(\d+)/m.exec(await redis.info('errorstats'))?.[1] ?? 0)
}

// Mistake: the wrapper most tutorials print: printed arguments for a key, a client for every call, a result that counts only if
//          it is truthy, and errors of Redis that reach the caller.
// Fails: no-leaked-connection
import type { Redis } from 'ioredis'

/** Caches the results of a function in Redis. */
export function cacheWithRedis(redis: Redis, options: { name: string; expire?: number; prefix?: string }) {
  const { name, expire = 3600, prefix = 'cache' } = options
  return <A extends unknown[], R>(fn: (...args: A) => Promise<R>) => {
    const cached = async (...args: A): Promise<R> => {
      const client = redis.duplicate()
      const key = `${prefix}:${name}:${JSON.stringify(args)}`
      const found = await client.get(key)
      const parsed = found ? (JSON.parse(found) as R) : null
      if (parsed) return parsed
      const value = await fn(...args)
      await client.set(key, JSON.stringify(value))
      await client.expire(key, expire)
      return value
    }
    return Object.assign(cached, {
      async invalidate(...args: A): Promise<boolean> {
        return (await redis.del(`${prefix}:${name}:${JSON.stringify(args)}`)) > 0
      },
    })
  }
}

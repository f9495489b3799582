// Mistake: the wrapper most tutorials print: printed arguments for a key, a client for every call, a result that counts only if
//          it is truthy, and errors of Redis that reach the caller.
// Fails: empty-results-are-cached, order-of-keys-does-not-matter, keys-are-short, invalidate-is-exact
// Fails: unreadable-entries-are-replaced, entries-of-another-type-are-replaced, bad-expiry-is-refused
// Fails: long-names-are-refused, a-miss-is-two-round-trips, types-of-arguments-matter
// Fails: equal-arguments-of-every-kind-share, rich-results-come-back, plain-data-stays-plain
// Fails: other-arguments-never-hit-wrongly, what-cannot-be-stored-comes-back, this-is-kept
// Fails: crash-leaves-an-expiry, works-without-redis, a-failed-write-costs-no-second-call
// Fails: a-hit-reads-little-more-than-the-value
import type { Redis } from 'ioredis'

/** Caches the results of a function in Redis. */
export function cacheWithRedis(redis: Redis, options: { name: string; expire?: number; prefix?: string }) {
  const { name, expire = 3600, prefix = 'cache' } = options
  return <A extends unknown[], R>(fn: (...args: A) => Promise<R>) => {
    const cached = async (...args: A): Promise<R> => {
      const client = redis.duplicate()
      try {
        const key = `${prefix}:${name}:${JSON.stringify(args)}`
        const found = await client.get(key)
        const parsed = found ? (JSON.parse(found) as R) : null
        if (parsed) return parsed
        const value = await fn(...args)
        await client.set(key, JSON.stringify(value))
        await client.expire(key, expire)
        return value
      } finally {
        client.disconnect()
      }
    }
    return Object.assign(cached, {
      async invalidate(...args: A): Promise<boolean> {
        return (await redis.del(`${prefix}:${name}:${JSON.stringify(args)}`)) > 0
      },
    })
  }
}

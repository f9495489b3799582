import type { Redis } from 'ioredis'

export function cacheWithRedis(redis: Redis, options: { name: string; expire?: number; prefix?: string }):
  <A extends unknown[], R>(fn: (...args: A) => Promise<R>) => ((...args: A) => Promise<R>) & { invalidate(...args: A): Promise<boolean> } {
  throw new Error('TODO: give a function that wraps fn in a cache')
}

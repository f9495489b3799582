// Mistake: WATCH on the shared connection: all concurrent calls share one watch and one transaction.
// Fails: burst-admits-the-limit, admission-is-one-round-trip
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

/** Limits each user to `maxRequests` in `windowMs`; a sorted set `rate_limit:{userId}` that expires with the window. */
export class RateLimiter {
  readonly #redis: Redis
  readonly #maxRequests: number
  readonly #windowMs: number

  constructor(redis: Redis, options: { maxRequests?: number; windowMs?: number } = {}) {
    this.#redis = redis
    this.#maxRequests = positiveInteger('maxRequests', options.maxRequests ?? 10)
    this.#windowMs = positiveInteger('windowMs', options.windowMs ?? 60_000)
  }

  async isAllowed(userId: string): Promise<boolean> {
    const key = keyOf(userId)
    for (;;) {
      await this.#redis.watch(key)
      const now = await this.#now()
      if ((await this.#redis.zcount(key, `(${now - this.#windowMs}`, '+inf')) >= this.#maxRequests) {
        await this.#redis.unwatch()
        return false
      }
      const done = await this.#redis.multi().zremrangebyscore(key, '-inf', now - this.#windowMs).zadd(key, now, randomUUID()).pexpire(key, this.#windowMs).exec()
      if (done) return true
    }
  }

  async getRemainingRequests(userId: string): Promise<number> {
    const key = keyOf(userId)
    const now = await this.#now()
    return Math.max(0, this.#maxRequests - (await this.#redis.zcount(key, `(${now - this.#windowMs}`, '+inf')))
  }

  async getResetTime(userId: string): Promise<number> {
    const key = keyOf(userId)
    const now = await this.#now()
    const found = await this.#redis.zrangebyscore(key, `(${now - this.#windowMs}`, '+inf', 'WITHSCORES')
    const times = found.filter((_, i) => i % 2 === 1).map(Number)
    const blocking = times[times.length - this.#maxRequests]
    return blocking === undefined ? 0 : Math.ceil((blocking + this.#windowMs - now) / 1000)
  }

  async #now(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time()
    return Number(seconds) * 1000 + Number(microseconds) / 1000
  }
}

function keyOf(userId: string): string {
  if (typeof userId !== 'string') throw new TypeError('userId must be a string')
  if (userId === '') throw new RangeError('userId must not be empty')
  return `rate_limit:${userId}`
}

function positiveInteger(name: string, value: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`)
  return value
}

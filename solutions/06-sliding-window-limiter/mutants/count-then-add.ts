// Mistake: counts and admits in separate steps, so others come in between.
// Fails: burst-admits-the-limit, admission-is-one-round-trip, admission-is-atomic
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
    const { now, times } = await this.#admissions(userId)
    if (times.length >= this.#maxRequests) return false
    const key = `rate_limit:${userId}`
    await this.#redis.multi().zremrangebyscore(key, '-inf', now - this.#windowMs).zadd(key, now, randomUUID()).pexpire(key, this.#windowMs).exec()
    return true
  }

  async getRemainingRequests(userId: string): Promise<number> {
    const { times } = await this.#admissions(userId)
    return Math.max(0, this.#maxRequests - times.length)
  }

  async getResetTime(userId: string): Promise<number> {
    const { now, times } = await this.#admissions(userId)
    const blocking = times[times.length - this.#maxRequests]
    return blocking === undefined ? 0 : Math.ceil((blocking + this.#windowMs - now) / 1000)
  }

  async #admissions(userId: string): Promise<{ now: number; times: number[] }> {
    if (typeof userId !== 'string') throw new TypeError('userId must be a string')
    if (userId === '') throw new RangeError('userId must not be empty')
    const [seconds, microseconds] = await this.#redis.time()
    const now = Number(seconds) * 1000 + Number(microseconds) / 1000
    const found = await this.#redis.zrangebyscore(`rate_limit:${userId}`, `(${now - this.#windowMs}`, '+inf', 'WITHSCORES')
    return { now, times: found.filter((_, i) => i % 2 === 1).map(Number) }
  }
}

function positiveInteger(name: string, value: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`)
  return value
}

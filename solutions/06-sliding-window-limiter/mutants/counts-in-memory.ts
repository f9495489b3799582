// Mistake: keeps the admissions in the memory of one process.
// Fails: admission-is-atomic, processes-share-the-limit, client-clocks-do-not-matter, redis-failure-rejects
import type { Redis } from 'ioredis'

/** Limits each user to `maxRequests` in `windowMs`; `rate_limit:{userId}` is remembered in this process. */
export class RateLimiter {
  readonly #admissions = new Map<string, number[]>()
  readonly #redis: Redis
  readonly #maxRequests: number
  readonly #windowMs: number

  constructor(redis: Redis, options: { maxRequests?: number; windowMs?: number } = {}) {
    this.#redis = redis
    this.#maxRequests = positiveInteger('maxRequests', options.maxRequests ?? 10)
    this.#windowMs = positiveInteger('windowMs', options.windowMs ?? 60_000)
  }

  async isAllowed(userId: string): Promise<boolean> {
    const { now, times } = this.#current(userId)
    if (times.length >= this.#maxRequests) return false
    times.push(now)
    await this.#redis.set(`rate_limit:${userId}`, times.length, 'PX', this.#windowMs)
    return true
  }

  async getRemainingRequests(userId: string): Promise<number> {
    const { times } = this.#current(userId)
    return this.#maxRequests - times.length
  }

  async getResetTime(userId: string): Promise<number> {
    const { now, times } = this.#current(userId)
    return times.length < this.#maxRequests ? 0 : Math.ceil(((times[0] ?? now) + this.#windowMs - now) / 1000)
  }

  #current(userId: string): { now: number; times: number[] } {
    if (typeof userId !== 'string') throw new TypeError('userId must be a string')
    if (userId === '') throw new RangeError('userId must not be empty')
    const now = performance.now()
    const times = (this.#admissions.get(userId) ?? []).filter((time) => time > now - this.#windowMs)
    this.#admissions.set(userId, times)
    return { now, times }
  }
}

function positiveInteger(name: string, value: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`)
  return value
}

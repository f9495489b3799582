// Mistake: the limiter most tutorials print: count, then record, as separate commands; the client's clock is both
//          score and member; the reset time is rounded down.
// Fails: burst-admits-the-limit, reset-time-is-exact, admission-is-one-round-trip, admission-is-atomic,
// Fails: client-clocks-do-not-matter, crash-leaves-an-expiry, bad-user-ids-are-refused, bad-options-are-refused
import type { Redis } from 'ioredis'

/** Sliding-window limiter. */
export class RateLimiter {
  private readonly redis: Redis
  private readonly maxRequests: number
  private readonly windowMs: number

  constructor(redis: Redis, options: { maxRequests?: number; windowMs?: number } = {}) {
    this.redis = redis
    this.maxRequests = options.maxRequests ?? 10
    this.windowMs = options.windowMs ?? 60_000
  }

  async isAllowed(userId: string): Promise<boolean> {
    const key = `rate_limit:${userId}`
    const now = Date.now()
    await this.redis.zremrangebyscore(key, 0, now - this.windowMs)
    const count = await this.redis.zcard(key)
    if (count >= this.maxRequests) return false
    await this.redis.zadd(key, now, `${now}`)
    await this.redis.expire(key, Math.ceil(this.windowMs / 1000))
    return true
  }

  async getRemainingRequests(userId: string): Promise<number> {
    const key = `rate_limit:${userId}`
    await this.redis.zremrangebyscore(key, 0, Date.now() - this.windowMs)
    return Math.max(0, this.maxRequests - (await this.redis.zcard(key)))
  }

  async getResetTime(userId: string): Promise<number> {
    const key = `rate_limit:${userId}`
    await this.redis.zremrangebyscore(key, 0, Date.now() - this.windowMs)
    if ((await this.redis.zcard(key)) < this.maxRequests) return 0
    const [, oldest] = await this.redis.zrange(key, 0, '0', 'WITHSCORES')
    return oldest ? Math.floor((Number(oldest) + this.windowMs - Date.now()) / 1000) : 0
  }
}

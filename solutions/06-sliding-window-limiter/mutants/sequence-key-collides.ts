// Mistake: the sequence of a user lives at rate_limit:{user}:seq, which is also the window of the user "{user}:seq"
// Fails: any-user-id-works
import type { Redis } from 'ioredis'

/** The commands that `defineCommand` adds to a client. */
interface LimiterCommands {
  slidingWindowAdmit(key: string, max: number, windowMicros: number, ttlMs: number): Promise<number>
  slidingWindowFree(key: string, max: number, windowMicros: number): Promise<number>
  slidingWindowReset(key: string, max: number, windowMicros: number): Promise<number>
}

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local max = tonumber(ARGV[1])
local window = tonumber(ARGV[2])
local horizon = string.format('(%.0f', now - window)
`

const ADMIT = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
if redis.call('ZCARD', KEYS[1]) >= max then return 0 end
local sequence = redis.call('INCR', KEYS[1] .. ':seq')
redis.call('PEXPIRE', KEYS[1] .. ':seq', ARGV[3])
redis.call('ZADD', KEYS[1], string.format('%.0f', now), sequence)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`

const FREE = `${NOW}
return math.max(0, max - redis.call('ZCOUNT', KEYS[1], horizon, '+inf'))
`

const RESET = `${NOW}
local used = redis.call('ZCOUNT', KEYS[1], horizon, '+inf')
if used < max then return 0 end
local first = redis.call('ZRANGEBYSCORE', KEYS[1], horizon, '+inf', 'WITHSCORES', 'LIMIT', used - max, 1)
return math.max(1, math.ceil((first[2] + window - now) / 1000000))
`

function positiveInteger(name: string, value: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`)
  return value
}

/**
 * A sliding-window limit per user, shared by all processes.
 *
 * Key: `rate_limit:{userId}`, a sorted set of the admissions of the last window, scored by the clock of Redis.
 * Expiry: `windowMs` (and a millisecond) after the last admission, set in the same script. Counting and admitting are one atomic step.
 */
export class RateLimiter {
  readonly #redis: Redis & LimiterCommands
  readonly #max: number
  readonly #windowMs: number

  constructor(redis: Redis, options: { maxRequests?: number; windowMs?: number } = {}) {
    this.#max = positiveInteger('maxRequests', options.maxRequests ?? 10)
    this.#windowMs = positiveInteger('windowMs', options.windowMs ?? 60_000)
    redis.defineCommand('slidingWindowAdmit', { numberOfKeys: 1, lua: ADMIT })
    redis.defineCommand('slidingWindowFree', { numberOfKeys: 1, lua: FREE })
    redis.defineCommand('slidingWindowReset', { numberOfKeys: 1, lua: RESET })
    this.#redis = redis as Redis & LimiterCommands
  }

  /** True, and counted, when the user has a slot; false, and not counted, when not. One atomic step. */
  async isAllowed(userId: string): Promise<boolean> {
    return (await this.#redis.slidingWindowAdmit(this.#key(userId), this.#max, this.#windowMs * 1000, this.#windowMs + 1)) === 1
  }

  /** How many calls would pass now. Changes nothing. */
  async getRemainingRequests(userId: string): Promise<number> {
    return this.#redis.slidingWindowFree(this.#key(userId), this.#max, this.#windowMs * 1000)
  }

  /** Whole seconds until a slot frees, rounded up; 0 while one is free. Changes nothing. */
  async getResetTime(userId: string): Promise<number> {
    return this.#redis.slidingWindowReset(this.#key(userId), this.#max, this.#windowMs * 1000)
  }

  #key(userId: string): string {
    if (typeof userId !== 'string') throw new TypeError('userId must be a string')
    if (userId === '') throw new RangeError('userId must not be empty')
    return `rate_limit:${userId}`
  }
}

// Mistake: sends the expiry as a command of its own, behind a hundred others: a crash just before it leaves a key for ever.
// Fails: crash-leaves-an-expiry, crash-in-a-rejection-consumes-nothing
import type { Redis } from 'ioredis'

/**
 * One sorted set per user, `rate_limit:{userId}`: an entry per admission, scored by the server's time in microseconds.
 * The whole decision is one script, so no other call can come between counting and admitting.
 *
 * KEYS[1] the user's set · ARGV[1] limit · ARGV[2] window in µs · ARGV[3] '1' to admit, '0' to ask only
 * Returns { admitted 0|1, remaining, µs until a slot frees }.
 */
const SCRIPT = `
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
  local first = string.format('(%.0f', now - window)
  local count = redis.call('ZCOUNT', KEYS[1], first, '+inf')
  local admitted = 0
  if ARGV[3] == '1' then
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
    if count < limit then
      -- Two calls in one microsecond need two names; the set's size makes the second one different.
      redis.call('ZADD', KEYS[1], string.format('%.0f', now), string.format('%.0f-%d', now, count))
      count = count + 1
      admitted = 1
    end
  end
  local wait = 0
  if count >= limit then
    local blocking = redis.call('ZRANGE', KEYS[1], first, '+inf', 'BYSCORE', 'LIMIT', count - limit, 1, 'WITHSCORES')
    wait = tonumber(blocking[2]) + window - now
  end
  return { admitted, math.max(0, limit - count), wait }
`

/** Limits each user to `maxRequests` admissions in any interval of `windowMs`, over all processes. */
export class RateLimiter {
  readonly #redis: Redis
  readonly #maxRequests: number
  readonly #windowMs: number

  constructor(redis: Redis, options: { maxRequests?: number; windowMs?: number } = {}) {
    this.#redis = redis
    this.#maxRequests = positiveInteger('maxRequests', options.maxRequests ?? 10)
    this.#windowMs = positiveInteger('windowMs', options.windowMs ?? 60_000)
  }

  /** Admits the call and remembers it, or refuses it and remembers nothing: one atomic step. */
  async isAllowed(userId: string): Promise<boolean> {
    const [admitted] = await this.#run(userId, '1')
    return admitted === 1
  }

  /** How many calls would be admitted now. */
  async getRemainingRequests(userId: string): Promise<number> {
    const [, remaining] = await this.#run(userId, '0')
    return remaining
  }

  /** Whole seconds, rounded up, until a slot frees; 0 when one is free. */
  async getResetTime(userId: string): Promise<number> {
    const [, , waitMicroseconds] = await this.#run(userId, '0')
    return Math.ceil(waitMicroseconds / 1_000_000)
  }

  async #run(userId: string, admit: '0' | '1'): Promise<[admitted: number, remaining: number, wait: number]> {
    if (typeof userId !== 'string') throw new TypeError('userId must be a string')
    if (userId === '') throw new RangeError('userId must not be empty')
    const key = `rate_limit:${userId}`
    const calls = this.#redis.pipeline()
    for (let i = 0; i < 100; i++) calls.echo('still here')
    calls.eval(SCRIPT, 1, key, this.#maxRequests, this.#windowMs * 1000, admit)
    if (admit === '1') calls.pexpire(key, this.#windowMs)
    const [error, reply] = (await calls.exec())?.[100] ?? []
    if (error) throw error
    return reply as [number, number, number]
  }
}

function positiveInteger(name: string, value: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`)
  return value
}

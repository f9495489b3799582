// Way: a stream per user, one entry an admission.
import type { Redis } from 'ioredis'

/**
 * A stream per user, `rate_limit:{userId}`: an entry per admission, its field the time in microseconds.
 * KEYS[1] the stream · ARGV[1] limit · ARGV[2] window in µs · ARGV[3] '1' to admit · returns { admitted, remaining, wait µs }
 */
const SCRIPT = `
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
  local count, wait = 0, 0
  if ARGV[3] == '1' then
    local entry = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', limit)[limit]
    if not entry or tonumber(entry[2][2]) <= now - window then
      redis.call('XADD', KEYS[1], 'MAXLEN', limit, '*', 't', string.format('%.0f', now))
      redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
      return { 1, 0, 0 }
    end
    return { 0, 0, 0 }
  end
  for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', limit)) do
    local at = tonumber(entry[2][2])
    if at > now - window then
      count = count + 1
      wait = at + window - now
    end
  end
  return { 0, limit - count, count < limit and 0 or wait }
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
    const reply = await this.#redis.eval(SCRIPT, 1, `rate_limit:${userId}`, this.#maxRequests, this.#windowMs * 1000, admit)
    return reply as [number, number, number]
  }
}

function positiveInteger(name: string, value: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`)
  return value
}

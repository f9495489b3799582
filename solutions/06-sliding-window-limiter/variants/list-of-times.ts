// Way: a list of times in one script.
import type { Redis } from 'ioredis'

/**
 * A list per user, `rate_limit:{userId}`: the times of its admissions in microseconds, oldest first.
 * KEYS[1] the list · ARGV[1] limit · ARGV[2] window in µs · ARGV[3] '1' to admit · returns { admitted, remaining, wait µs }
 */
const SCRIPT = `
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
  -- At most the last \`limit\` admissions are kept: the oldest of them decides.
  local count = redis.call('LLEN', KEYS[1])
  local oldest = tonumber(redis.call('LINDEX', KEYS[1], -limit) or '0')
  local free = oldest <= now - window
  local admitted = 0
  if ARGV[3] == '1' and free then
    redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
    redis.call('LTRIM', KEYS[1], -limit, -1)
    redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
    oldest = tonumber(redis.call('LINDEX', KEYS[1], -limit) or '0')
    free = oldest <= now - window
    admitted = 1
  end
  local remaining = 0
  if ARGV[3] == '0' then
    local times = redis.call('LRANGE', KEYS[1], 0, -1)
    for _, at in ipairs(times) do if tonumber(at) > now - window then remaining = remaining + 1 end end
    remaining = math.max(0, limit - remaining)
  end
  return { admitted, remaining, free and 0 or oldest + window - now }
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

// Mistake: the reset time is computed with the clock of the client; only admitting and counting go by the clock of Redis
// Fails: client-clocks-do-not-matter
import type { Redis } from 'ioredis'

// The list holds the times (microseconds of the Redis clock) of the last maxRequests admissions, oldest first.
const SCRIPT = `
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local max, window = tonumber(ARGV[2]), ARGV[3] * 1000
local function wait_us()
  local nth = redis.call('LINDEX', KEYS[1], -max)
  if not nth then return 0 end
  return math.max(0, nth + window - now)
end
if ARGV[1] == 'remaining' then
  local free = max
  for _, at in ipairs(redis.call('LRANGE', KEYS[1], -max, -1)) do
    if at + window > now then free = free - 1 end
  end
  return free
end
if wait_us() > 0 then return 0 end
redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
redis.call('LTRIM', KEYS[1], -max, -1)
redis.call('PEXPIRE', KEYS[1], ARGV[3] + 1)
return 1
`

type Question = 'admit' | 'remaining'

/**
 * Admits at most `maxRequests` calls of a user in any `windowMs`.
 *
 * - Key: `rate_limit:list:<userId>`, a list of the admission times.
 * - Expiry: `windowMs` after the last admission.
 * - Guarantee: each method is one atomic script that reads the clock of Redis; refused calls write nothing.
 */
export class RateLimiter {
  private readonly redis: Redis
  private readonly maxRequests: number
  private readonly windowMs: number

  constructor(redis: Redis, options?: { maxRequests?: number; windowMs?: number }) {
    const { maxRequests = 10, windowMs = 60_000 } = options ?? {}
    for (const [name, value] of Object.entries({ maxRequests, windowMs })) {
      if (!Number.isInteger(value) || value <= 0) throw new RangeError(`${name} must be a positive integer, not ${String(value)}`)
    }
    this.redis = redis
    this.maxRequests = maxRequests
    this.windowMs = windowMs
  }

  /** Admits the call and counts it, or refuses it and leaves everything as it was. */
  async isAllowed(userId: string): Promise<boolean> {
    return (await this.ask('admit', userId)) === 1
  }

  /** How many calls would be admitted now. */
  async getRemainingRequests(userId: string): Promise<number> {
    return this.ask('remaining', userId)
  }

  /** Seconds, rounded up, until a slot frees; 0 if one is free. */
  async getResetTime(userId: string): Promise<number> {
    if (typeof userId !== 'string' || userId.length === 0) throw new TypeError('userId must be a non-empty string')
    const times = (await this.redis.lrange(`rate_limit:list:${userId}`, -this.maxRequests, -1)).map(Number)
    const oldest = times[0]
    if (times.length < this.maxRequests || oldest === undefined) return 0
    return Math.max(0, Math.ceil((oldest / 1000 + this.windowMs - Date.now()) / 1000))
  }

  private async ask(question: Question, userId: string): Promise<number> {
    if (typeof userId !== 'string' || userId.length === 0) throw new TypeError('userId must be a non-empty string')
    return Number(await this.redis.eval(SCRIPT, 1, `rate_limit:list:${userId}`, question, this.maxRequests, this.windowMs))
  }
}

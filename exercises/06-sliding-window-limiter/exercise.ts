import type { Redis } from 'ioredis'

export class RateLimiter {
  constructor(redis: Redis, options?: { maxRequests?: number; windowMs?: number }) {
    throw new Error('TODO: keep the client and the options')
  }

  isAllowed(userId: string): Promise<boolean> {
    throw new Error('TODO: admit the call, or refuse it')
  }

  getRemainingRequests(userId: string): Promise<number> {
    throw new Error('TODO: how many calls would be admitted now?')
  }

  getResetTime(userId: string): Promise<number> {
    throw new Error('TODO: how many seconds until a slot frees?')
  }
}

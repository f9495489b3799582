import type { Redis } from 'ioredis'

/** The server's time in milliseconds, with a fraction. */
export async function serverNow(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time()
  return Number(seconds) * 1000 + Number(microseconds) / 1000
}

/** Waits until the server's clock has reached `at`; returns what it says then. */
export async function serverReaches(redis: Redis, at: number): Promise<number> {
  for (;;) {
    const now = await serverNow(redis)
    if (now >= at) return now
    await new Promise((resolve) => setTimeout(resolve, Math.min(20, Math.ceil(at - now))))
  }
}

/** Two milliseconds later by the server's clock: calls in one millisecond are a matter of their own. */
export async function nextMoment(redis: Redis): Promise<void> {
  await serverReaches(redis, (await serverNow(redis)) + 2)
}

/** Longer than any check by far, and its multiples are days apart: no check happens to cross one. */
export const LONG_MS = 1_000_000_000

/**
 * Waits until the server's clock is between `from` and `to` of its way from one multiple of `windowMs` to the next.
 * Limiters that cut time at multiples are then wrong every time, not only when the moment is unlucky.
 */
export async function phaseBetween(redis: Redis, windowMs: number, from: number, to: number): Promise<void> {
  const now = await serverNow(redis)
  const phase = (now % windowMs) / windowMs
  if (phase < from || phase > to) await serverReaches(redis, now + ((from + 1 - phase) % 1) * windowMs)
}

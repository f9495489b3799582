import type { Redis } from 'ioredis'

/** The server's time in milliseconds, with a fraction. */
export async function serverNow(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time()
  return Number(seconds) * 1000 + Number(microseconds) / 1000
}

/** Waits until the server's clock has reached `at`, looking at `meanwhile` every few milliseconds; returns what it says then. */
export async function serverReaches(redis: Redis, at: number, meanwhile?: () => Promise<void>): Promise<number> {
  for (;;) {
    await meanwhile?.()
    const now = await serverNow(redis)
    if (now >= at) return now
    await new Promise((resolve) => setTimeout(resolve, Math.min(10, Math.ceil(at - now))))
  }
}

/** Two milliseconds later by the server's clock: what happens in one millisecond is a matter of its own. */
export async function nextMoment(redis: Redis): Promise<void> {
  await serverReaches(redis, (await serverNow(redis)) + 2)
}

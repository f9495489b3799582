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

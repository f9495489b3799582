import type { Redis } from 'ioredis'
import { both, CheckFailed, Inconclusive, type Learner } from '#checks'

/** The server's time in milliseconds, with a fraction. */
export async function serverNow(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time()
  return Number(seconds) * 1000 + Number(microseconds) / 1000
}

/** Waits until the server's clock has reached `at`, looking at `meanwhile` every few milliseconds. */
export async function serverReaches(redis: Redis, at: number, meanwhile?: () => Promise<void>): Promise<void> {
  for (;;) {
    await meanwhile?.()
    const now = await serverNow(redis)
    if (now >= at) return
    await new Promise((resolve) => setTimeout(resolve, Math.min(10, Math.ceil(at - now))))
  }
}

/** A process, or Redis, that answers later than this was too slow for a lease of 400 ms and more to be judged. */
const SLOW_MS = 120

/**
 * For what only a machine that keeps up can show: a failure counts only if the processes and Redis answered at once all
 * the while. Otherwise `plan` is tried again with the next round's number; never is anybody blamed for a slow machine.
 */
export async function keepingUp(redis: Redis, processes: readonly Learner[],
  plan: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < 6; round++) {
    const slowest = watch(async () => {
      await Promise.all([redis.ping(), ...processes.map((process) => process.host.idle())])
    })
    try {
      return await plan(round)
    } catch (error) {
      if (!(error instanceof CheckFailed) || (await slowest()) < SLOW_MS) throw error
    } finally {
      await slowest()
    }
  }
  throw new Inconclusive(both(
    'The machine was too busy to keep the times this check needs.',
    'Máy quá bận nên không giữ được mốc thời gian mà mục này cần.'))
}

/** Asks again and again until told to stop; tells the longest that an answer, or the next question, took. */
function watch(ask: () => Promise<void>): () => Promise<number> {
  let stopped = false
  let longest = 0
  const done = (async () => {
    for (let last = performance.now(); !stopped;) {
      await ask().catch(() => { stopped = true })
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  return async () => {
    stopped = true
    await done
    return longest
  }
}

import type { Redis } from 'ioredis'
import { both, CheckFailed, Inconclusive, type Learner } from '#checks'

/** Leases tried one after the other, in milliseconds: one that a busy machine cannot keep is followed by a longer one. */
const LEASES = [400, 400, 800, 1600, 3200]

/**
 * For a promise that a slow machine breaks for everybody: a failure counts only if Redis and the processes answered
 * within three tenths of the lease all the while. Otherwise `plan` is tried again; nobody is blamed for the machine.
 */
export async function inGoodTime(
  redis: Redis, processes: readonly Learner[], plan: (leaseMs: number, round: number) => Promise<void>,
): Promise<void> {
  for (const [round, leaseMs] of LEASES.entries()) {
    const stop = watch(redis, processes)
    try {
      return await plan(leaseMs, round)
    } catch (error) {
      if (!(error instanceof CheckFailed) || (await stop()).longest < 0.3 * leaseMs) throw error
    } finally {
      await stop()
    }
  }
  throw new Inconclusive(both(
    'The machine was too busy to keep the times this check needs.',
    'Máy quá bận nên không giữ được mốc thời gian mà mục này cần.'))
}

/**
 * For a mistake that a slow machine hides: `plan` is tried again with the next of `spans` when the answers were not
 * `bearable`. What has failed has failed.
 */
export async function givenTime(
  redis: Redis, learner: Learner, spans: readonly number[], bearable: (answers: Answers, spanMs: number) => boolean,
  plan: (spanMs: number, round: number) => Promise<void>,
): Promise<void> {
  for (const [round, spanMs] of spans.entries()) {
    const stop = watch(redis, [learner])
    try {
      await plan(spanMs, round)
    } finally {
      await stop()
    }
    if (bearable(await stop(), spanMs)) return
  }
}

/** How long answers took, in milliseconds. */
export interface Answers { readonly longest: number; readonly average: number }

/** Asks Redis and the processes again and again until told to stop. */
function watch(redis: Redis, processes: readonly Learner[]): () => Promise<Answers> {
  const started = performance.now()
  let stopped = false
  let [longest, rounds] = [0, 0]
  const done = (async () => {
    for (let last = started; !stopped; rounds++) {
      await Promise.all([redis.ping(), ...processes.map((process) => process.host.idle())]).catch(() => { stopped = true })
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }
    return { longest, average: (performance.now() - started) / rounds - PAUSE_MS }
  })()
  return () => {
    stopped = true
    return done
  }
}

const PAUSE_MS = 5

import type { Redis } from 'ioredis'
import { both, Inconclusive, serverNow, serverReaches } from '#checks'

/**
 * Waits until the server's clock is in the first part of a second: whoever counts in whole seconds is then wrong every
 * time, not only when the moment is unlucky.
 */
export async function earlyInASecond(redis: Redis): Promise<void> {
  const now = await serverNow(redis)
  const phase = now % 1000
  if (phase < 50 || phase > 150) await serverReaches(redis, now + ((1050 - phase) % 1000))
}

/** Spans tried one after the other, in milliseconds: one that a busy machine cannot keep is followed by a longer one. */
const SPANS = [150, 150, 300, 600, 1200, 2400]

/** Repeats `plan` until it was in time; a failure it throws is a failure, whatever the machine does. */
export async function timely(plan: (spanMs: number) => Promise<'done' | 'too slow'>): Promise<void> {
  for (const spanMs of SPANS) if ((await plan(spanMs)) === 'done') return
  throw new Inconclusive(both(
    'The machine was too busy to keep the times this check needs.',
    'Máy quá bận nên không giữ được mốc thời gian mà mục này cần.'))
}

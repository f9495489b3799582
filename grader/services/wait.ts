import { setTimeout as pause } from 'node:timers/promises'

/**
 * Asks again and again until `condition` gives something other than `undefined`, or says what was awaited.
 * A `condition` that throws ends the wait at once.
 */
export async function until<T>(
  awaited: string,
  condition: () => Promise<T | undefined> | T | undefined,
  { deadlineMs, everyMs = 5 }: { deadlineMs: number; everyMs?: number },
): Promise<T> {
  const started = performance.now()
  for (;;) {
    const answer = await condition()
    if (answer !== undefined) return answer
    const waited = Math.round(performance.now() - started)
    if (waited > deadlineMs) throw new Error(`${awaited}: not within ${waited} ms`)
    await pause(everyMs)
  }
}

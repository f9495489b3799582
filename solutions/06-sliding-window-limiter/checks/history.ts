import type { Redis } from 'ioredis'
import { both, CheckFailed, Inconclusive, type Instance, nextMoment, serverNow } from '#checks'

/** One call, and the server's clock just before and just after it, in milliseconds. */
export interface Attempt { readonly before: number; readonly after: number; readonly admitted: boolean }

/** An edge of the window may be off by this much, in milliseconds. */
const EDGE_MS = 2

/** Makes one call; the next one falls into another millisecond. */
export async function attempt(redis: Redis, limiter: Instance, userId: string): Promise<Attempt> {
  const before = await serverNow(redis)
  const admitted = (await limiter.call('isAllowed', userId)) === true
  const after = await serverNow(redis)
  await nextMoment(redis)
  return { before, after, admitted }
}

/** A call whose moment is known this well leaves most of the promptness to who comes after its window, in milliseconds. */
const QUICK_MS = 12

/**
 * The first call of a user of that name, made anew by others until it was quick: on a busy machine one that takes its time
 * would have to be followed, a window later, by one that takes none. `ready` prepares each of them.
 */
export async function quickFirst(redis: Redis, limiter: Instance, name: string, ready: () => Promise<unknown> = async () => {}): Promise<{ user: string; first: Attempt }> {
  for (let n = 1; ; n++) {
    await ready()
    const user = `${name}-${n}`
    const first = await attempt(redis, limiter, user)
    if (first.after - first.before <= QUICK_MS || n === 8) return { user, first }
  }
}

/**
 * The largest number of admissions that surely lie within one window: whatever moment inside its bracket each call
 * really happened at. More than the limit is a violation, with no doubt about timing.
 */
export function surelyTogether(history: readonly Attempt[], windowMs: number): number {
  const admissions = history.filter((call) => call.admitted)
  return Math.max(0, ...admissions.map((first) =>
    admissions.filter((call) => call.before >= first.before && call.after - first.before < windowMs - EDGE_MS).length))
}

/** Rejected although, at every moment the call may have happened, fewer admissions than the limit can have counted. */
export function wronglyRejected(history: readonly Attempt[], limit: number, windowMs: number): Attempt | undefined {
  return history.find((call) => !call.admitted &&
    history.filter((other) => other.admitted && other.before <= call.after && other.after > call.before - windowMs - EDGE_MS).length < limit)
}

export function judge(history: readonly Attempt[], limit: number, windowMs: number): void {
  const together = surelyTogether(history, windowMs)
  if (together > limit) {
    throw new CheckFailed(both(
      `${together} calls were admitted within one window of ${windowMs} ms, the limit is ${limit}.`,
      `Có ${together} lời gọi được nhận trong cùng một cửa sổ ${windowMs} ms, hạn mức là ${limit}.`),
    { expected: `≤ ${limit}`, got: String(together) })
  }
  if (wronglyRejected(history, limit, windowMs)) {
    throw new CheckFailed(both(
      `A call was rejected although ${limit === 1 ? 'none was' : `fewer than ${limit} were`} admitted in the ${windowMs} ms before it.`,
      `Một lời gọi bị từ chối dù trong ${windowMs} ms trước đó ${limit === 1 ? 'không có lời gọi nào' : `chưa có đủ ${limit} lời gọi`} được nhận.`),
    { expected: 'true', got: 'false' })
  }
}

/** Who comes this much after the earliest moment is not prompt any more, in milliseconds. */
export const PROMPT_MS = 40

/** A window for the i-th try: a machine that was too slow gets more time, though never so much that whole seconds would do. */
export const wider = (windowMs: number, i: number): number => Math.min(700, Math.round(windowMs * 1.5 ** i))

/** A machine that does other things as well is in time now and then: often enough in so many tries. */
const TRIES = 40

/** Tries again when the machine was too slow for the plan's moments; gives up without blaming anybody. */
export async function timely(redis: Redis, plan: (attempt: number) => Promise<'done' | 'too slow'>): Promise<void> {
  for (let i = 0; i < TRIES; i++) {
    if ((await plan(i)) === 'done') return
    await redis.flushdb()
  }
  throw new Inconclusive(both('The machine was too busy to keep the times this check needs.', 'Máy quá bận nên không giữ được mốc thời gian mà mục này cần.'))
}

import type { Redis } from 'ioredis'
import type { Text } from '#catalog/text.ts'
import { both, CheckFailed, holds, Inconclusive, serverNow } from '#checks'
import { keyOf } from './profiles.ts'

export const HOUR_MS = 3_600_000

/**
 * `act` gives the profile an expiry of 3600 s: between the hour after it began and the hour after it ended, by the
 * server's clock. Whoever names the moment in whole seconds may be one off.
 */
export async function givesAnHour(redis: Redis, userId: number, act: () => Promise<unknown>, what: Text): Promise<void> {
  const before = await serverNow(redis)
  await act()
  const after = await serverNow(redis)
  const ends = await redis.pexpiretime(keyOf(userId))
  holds(ends >= before + HOUR_MS - 1000 && ends <= after + HOUR_MS + 1000, what, '3600 s', timeLeft(ends, after))
}

/** Nobody can read a remaining time and set it again without losing a moment; so much is forgiven, in milliseconds. */
const FORGIVEN_MS = 150

/** Who sets whole seconds again is off by up to half a second: with one of these fractions of a second it shows. */
const FRACTIONS_MS = [300, 800]

/** `act` leaves the expiry of the profile where it is. */
export async function keepsTheExpiry(redis: Redis, userId: number, act: () => Promise<unknown>, what: Text): Promise<void> {
  for (const fraction of FRACTIONS_MS) await timely(() => keepsOnce(redis, userId, 500_000 + fraction, act, what))
}

/** The same in the last half second of a profile that `begin` saves: TTL, which rounds, says 0 then. */
export async function keepsTheLastHalfSecond(
  redis: Redis, userId: number, begin: () => Promise<unknown>, act: () => Promise<unknown>, what: Text,
): Promise<void> {
  await timely(async () => {
    await begin()
    return keepsOnce(redis, userId, 490, act, what)
  })
}

async function keepsOnce(redis: Redis, userId: number, leftMs: number, act: () => Promise<unknown>, what: Text): Promise<'done' | 'too slow'> {
  const before = await serverNow(redis)
  const planned = Math.round(before) + leftMs
  await redis.pexpireat(keyOf(userId), planned)
  await act()
  const after = await serverNow(redis)
  const ends = await redis.pexpiretime(keyOf(userId))
  const moved = Math.abs(ends - planned)
  if (moved <= FORGIVEN_MS) return 'done'
  // A call that took longer than that may have lost this moment by being slow.
  if (ends >= 0 && moved <= after - before + 5) return 'too slow'
  // It may have expired by now.
  if (ends === -2 && (await serverNow(redis)) >= planned) return 'too slow'
  throw new CheckFailed(
    both(`${what.en}: expected about ${leftMs / 1000} s left as before, got ${timeLeft(ends, after).en}.`,
      `${what.vi}: mong đợi vẫn còn khoảng ${leftMs / 1000} s như trước, nhận được ${timeLeft(ends, after).vi}.`),
    { expected: `${leftMs / 1000} s`, got: timeLeft(ends, after) })
}

async function timely(plan: () => Promise<'done' | 'too slow'>): Promise<void> {
  for (let round = 0; round < 8; round++) if ((await plan()) === 'done') return
  throw new Inconclusive(both('The machine was too busy to tell.', 'Máy quá bận nên không kết luận được.'))
}

function timeLeft(ends: number, now: number): Text {
  if (ends === -2) return both('no key at all', 'không có key nào')
  if (ends === -1) return both('no expiry', 'không có thời hạn')
  const seconds = ((ends - now) / 1000).toFixed(1)
  return both(`${seconds} s`, `${seconds} s`)
}

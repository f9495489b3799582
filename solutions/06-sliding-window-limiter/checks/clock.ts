import type { Redis } from 'ioredis'
import { serverNow, serverReaches } from '#checks'

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

/** The same in an empty database: whoever has one limit for all users has a check of its own. */
export async function emptyBetween(redis: Redis, windowMs: number, from: number, to: number): Promise<void> {
  await redis.flushdb()
  await phaseBetween(redis, windowMs, from, to)
}

/** Whether no multiple of `windowMs` lies between two moments of the server: a slow machine may have missed a phase. */
export const inOneWindow = (windowMs: number, from: number, to: number): boolean =>
  Math.floor(from / windowMs) === Math.floor(to / windowMs)

import { isDeepStrictEqual } from 'node:util'
import type { Text } from '#catalog/text.ts'
import { LearnerError } from '#sandbox/host.ts'
import { stopwatch } from '#sandbox/stopwatch.ts'
import { patience } from './patience.ts'
import { both, CheckFailed, shown, WaitedInVain } from './verdicts.ts'

/** `actual` equals `expected`, part by part. `what` names the value: "admissions among 50 calls". */
export function same(actual: unknown, expected: unknown, what: Text): void {
  if (isDeepStrictEqual(actual, expected)) return
  const [wanted, came] = [shown(expected), shown(actual)]
  // Of long lists only the beginning is shown: where that is the same, the first item that differs tells more.
  if (wanted === came && Array.isArray(actual) && Array.isArray(expected)) {
    const at = expected.findIndex((item, i) => !isDeepStrictEqual(actual[i], item))
    if (at >= 0) same(actual[at], expected[at], both(`${what.en}, item ${at + 1}`, `${what.vi}, phần tử thứ ${at + 1}`))
  }
  // Texts that differ only in how their letters are put together look the same: then by code point.
  if (wanted.normalize() === came.normalize()) differ(what, escaped(wanted), escaped(came))
  differ(what, wanted, came)
}

/** `text` with what is not plain ASCII by code point. */
export const escaped = (text: string): string =>
  text.replace(/[^\x20-\x7e]/gu, (letter) => `\\u{${letter.codePointAt(0)!.toString(16)}}`)

export function atMost(actual: number, most: number, what: Text): void {
  if (!(actual <= most)) differ(what, both(`at most ${most}`, `không quá ${most}`), String(actual))
}

/** Both ends included. */
export function between(actual: unknown, least: number, most: number, what: Text): void {
  if (typeof actual !== 'number' || !(actual >= least && actual <= most)) {
    differ(what, least === most ? String(least) : both(`${least} to ${most}`, `từ ${least} đến ${most}`), shown(actual))
  }
}

/** For what has no better word: `holds` must be true. */
export function holds(condition: boolean, what: Text, expected: string | Text, got: string | Text): void {
  if (!condition) differ(what, expected, got)
}

/**
 * The call must be refused with an error of one of `classes`, and not by a synchronous throw
 * (except by a constructor or a factory, which has no promise to reject).
 */
export async function refuses(call: () => Promise<unknown>, classes: readonly string[], what: Text, options?: { throws?: boolean }): Promise<void> {
  const wanted = classes.join(' / ')
  let value: unknown
  try {
    value = await call()
  } catch (error) {
    if (!(error instanceof LearnerError)) throw error
    if (!classes.some((name) => error.facts.classes.includes(name))) differ(what, wanted, error.message.slice(0, 200))
    if (error.synchronous && !options?.throws) {
      differ(what, both(`a promise that rejects with ${wanted}`, `promise bị từ chối (reject) với ${wanted}`),
        both('thrown before any promise was returned', 'lỗi bị ném ra trước khi trả về promise'))
    }
    return
  }
  differ(what, wanted, options?.throws
    ? both(`no error but ${shown(value)}`, `không có lỗi, kết quả là ${shown(value)}`)
    : both(`it resolved with ${shown(value)}`, `lời gọi thành công với ${shown(value)}`))
}

/** The call must reject, with whatever error. */
export async function rejects(call: () => Promise<unknown>, what: Text): Promise<void> {
  const outcome = await settled(call())
  if ('value' in outcome) differ(what, both('a rejection', 'bị từ chối (reject)'), both(`it resolved with ${shown(outcome.value)}`, `lời gọi thành công với ${shown(outcome.value)}`))
}

/** What became of a call: its value, or the learner's error. Anything else is not the learner's doing and is thrown. */
export async function settled(call: Promise<unknown>): Promise<{ value: unknown } | { error: LearnerError }> {
  try {
    return { value: await call }
  } catch (error) {
    if (error instanceof LearnerError) return { error }
    throw error
  }
}

/**
 * Waits until `condition` holds and returns its value; looks again every few milliseconds, more rarely the longer it
 * takes. A learner who never gets there fails: `what` says what was awaited. `ms` are those of a machine that does nothing
 * else, and fewer where others waited in vain before (`patience.ts`).
 */
export async function until<T>(condition: () => T | Promise<T>, what: Text, ms = 4000): Promise<NonNullable<T>> {
  const limit = patience(ms)
  for (const passed = stopwatch(); passed() <= limit;) {
    const found = await condition()
    if (found !== null && found !== undefined && (found as unknown) !== false) return found as NonNullable<T>
    await new Promise((resolve) => setTimeout(resolve, Math.min(20, 3 + passed() / 20)))
  }
  throw new WaitedInVain(both(`Waited ${seconds(limit)} s for this, in vain: ${what.en}.`, `Đã chờ ${seconds(limit)} giây mà không thấy: ${what.vi}.`))
}

/** Waits until `ask` gives `expected`; if it never does, tells what it gave last. */
export async function becomes(ask: () => Promise<unknown>, expected: unknown, what: Text, ms?: number): Promise<void> {
  let last: unknown
  try {
    await until(async () => isDeepStrictEqual(last = await ask(), expected), what, ms)
  } catch (error) {
    if (!(error instanceof WaitedInVain)) throw error
    const [wanted, got] = [shown(expected), shown(last)]
    throw new WaitedInVain(
      both(`${error.text.en} It gave ${got}.`, `${error.text.vi} Giá trị nhận được: ${got}.`), { kind: 'values', expected: wanted, got })
  }
}

function differ(what: Text, expected: string | Text, got: string | Text): never {
  const wanted = typeof expected === 'string' ? both(expected, expected) : expected
  const came = typeof got === 'string' ? both(got, got) : got
  throw new CheckFailed(
    both(`${upper(what.en)}: expected ${wanted.en}, got ${came.en}.`, `${upper(what.vi)}: mong đợi ${wanted.vi}, nhận được ${came.vi}.`),
    { kind: 'values', expected, got })
}

/** A sentence starts with a capital letter, unless it starts with code: a call, `new`, or a name with a capital inside. */
const upper = (text: string): string => (/^[\w.$]+\(|^new [A-Z]|^[a-z]+[A-Z]/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1))

const seconds = (ms: number): number => Math.round(ms / 100) / 10

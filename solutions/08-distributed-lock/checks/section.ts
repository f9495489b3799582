import { both, CheckFailed, settled, shown, until, type Instance, type LearnerError } from '#checks'
import type { Text } from '#catalog/text.ts'

/** What became of a call of withLock. */
export type Ending = { readonly value: unknown } | { readonly error: LearnerError }

/** What fn was given. */
export interface Given {
  readonly token: unknown
  /** Whether the signal has aborted, asked in the learner's process. */
  aborted(): Promise<boolean>
}

/** A call of withLock whose fn runs here, in the grader, and stays inside until the check lets it go. */
export interface Section {
  readonly given: () => Given | null
  /** Waits until fn runs. */
  entered(): Promise<Given>
  /** Lets fn return `value`, or throw `error`; whenever that is. */
  leave(value?: unknown): void
  fail(error: Error): void
  /** How withLock has ended, if it has. */
  ended(): Ending | null
  /** Waits until withLock has settled. */
  ending(within?: number, what?: Text): Promise<Ending>
}

/** `ms`: how long it may take until fn runs. */
export function section(lock: Instance, ms?: number): Section {
  const gate = Promise.withResolvers<unknown>()
  gate.promise.catch(() => {})
  let given: Given | null = null
  let ending: Ending | null = null
  let trouble: { readonly error: unknown } | null = null
  settled(lock.call('withLock', async (context: unknown) => {
    given = await readGiven(context)
    return gate.promise
  })).then((end) => { ending = end }, (error: unknown) => { trouble = { error } })
  const over = (): Ending | null => {
    if (trouble) throw trouble.error
    return ending
  }
  return {
    given: () => given,
    entered: () => until(() => {
      if (given === null && over() !== null) throw withoutFn(over()!)
      return given
    }, both('withLock to run its function', 'withLock chạy hàm được truyền vào'), ms),
    leave: gate.resolve,
    fail: gate.reject,
    ended: over,
    ending: (within, what = both('withLock to settle', 'withLock kết thúc')) => until(over, what, within),
  }
}

/** Whether withLock gave up waiting. */
export const timedOut = (end: Ending): boolean =>
  'error' in end && end.error.facts.classes.includes('LockTimeoutError')

/** The ending in words, for evidence. */
export const told = (end: Ending): Text =>
  'error' in end
    ? both(end.error.message.slice(0, 200), end.error.message.slice(0, 200))
    : both(`it resolved with ${shown(end.value)}`, `lời gọi thành công với ${shown(end.value)}`)

/** The context is an object literal, or an instance of a class of the learner's. */
async function readGiven(context: unknown): Promise<Given> {
  const part = async (name: string): Promise<unknown> => {
    if (typeof context !== 'object' || context === null) return undefined
    return 'className' in context ? (context as Instance).get(name) : (context as Record<string, unknown>)[name]
  }
  const [token, signal] = [await part('token'), await part('signal')]
  return {
    token,
    async aborted() {
      if (typeof signal !== 'object' || signal === null || !('className' in signal)) throw new CheckFailed(noSignal)
      return (await (signal as Instance).get('aborted')) === true
    },
  }
}

function withoutFn(end: Ending): CheckFailed {
  return new CheckFailed('error' in end
    ? both(`withLock threw without running its function: ${end.error.message.slice(0, 200)}.`,
      `withLock báo lỗi mà chưa chạy hàm được truyền vào: ${end.error.message.slice(0, 200)}.`)
    : both('withLock returned without running its function.', 'withLock trả về mà chưa chạy hàm được truyền vào.'))
}

const noSignal: Text = both('The function got no AbortSignal in `signal`.',
  'Hàm không nhận được AbortSignal trong `signal`.')

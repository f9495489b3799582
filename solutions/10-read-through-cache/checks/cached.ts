import { both, CheckFailed, shown, until, type Learner } from '#checks'

export interface Options { readonly name: string; readonly expire?: unknown; readonly prefix?: string }

type Remote = (...args: unknown[]) => Promise<unknown>

/** A function of the grader's or a remote one, wrapped by learner code. */
export interface Cached {
  call(...args: unknown[]): Promise<unknown>
  invalidate(...args: unknown[]): Promise<unknown>
  /** The wrapped function itself, to hand to code inside the learner's process. */
  readonly remote: Remote
}

/** Makes a wrapper and wraps `fn` with it. */
export async function wrap(learner: Learner, options: Options, fn: unknown): Promise<Cached> {
  const cache = functionOf(await learner.call('cacheWithRedis', learner.redis, options), 'cacheWithRedis(…)')
  const remote = functionOf(await cache(fn), 'cacheWithRedis(…)(fn)')
  let invalidate: Promise<Remote> | undefined
  return {
    remote,
    call: (...args) => remote(...args),
    // A method of a function does not cross to here, so it is called over there.
    async invalidate(...args) {
      invalidate ??= learner.host.plant((cached: { invalidate(...args: unknown[]): unknown }, ...rest: unknown[]) => cached.invalidate(...rest))
      return (await invalidate)(remote, ...args)
    },
  }
}

/** A function to be cached that remembers its calls; what it gives is up to `answer`. */
export interface Loader<R> {
  readonly fn: (...args: unknown[]) => Promise<R>
  readonly calls: unknown[][]
}

export function loader<R>(answer: (args: unknown[], call: number) => R | Promise<R>): Loader<R> {
  const calls: unknown[][] = []
  return {
    calls,
    async fn(...args) {
      calls.push(args)
      return answer(args, calls.length)
    },
  }
}

/** Waits until the server has answered all that was sent: a write need not be over when the call returns. At most `ms`. */
export async function settle({ host, wire }: Learner, ms?: number): Promise<void> {
  await host.idle()
  await turn()
  await turn()
  await until(() => wire.commands().every(({ reply }) => reply !== null), both('replies to all commands', 'phản hồi cho mọi lệnh'), ms)
}

/** What counts a second from the last call has no time to end between two of them, in milliseconds. */
const GAP_MS = 500

/** How often to try to call without such a gap. */
const TRIES = 5

/**
 * For a mistake that shows only while calls follow one another closely: `plan` is tried again when the machine left a gap
 * between two of them. It gets what makes calls for that long, in milliseconds. What has failed has failed.
 */
export async function withoutGaps(plan: (callFor: (ms: number, call: () => Promise<unknown>) => Promise<void>, round: number) => Promise<void>): Promise<void> {
  for (let round = 1; round <= TRIES; round++) {
    let longest = 0
    await plan(async (ms, call) => {
      const start = performance.now()
      let last = start
      await until(async () => {
        if (performance.now() - last > GAP_MS / 4) {
          await call()
          longest = Math.max(longest, performance.now() - last)
          last = performance.now()
        }
        return last - start > ms
      }, both('a second to pass', 'một giây trôi qua'), 10 * ms)
    }, round)
    if (longest < GAP_MS) return
  }
}

function functionOf(value: unknown, what: string): Remote {
  if (typeof value === 'function') return value as Remote
  throw new CheckFailed(
    both(`${what} must give a function; it gave ${shown(value)}.`, `${what} phải trả về một hàm; kết quả nhận được là ${shown(value)}.`),
    { expected: both('a function', 'một hàm'), got: shown(value) })
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

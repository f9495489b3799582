import nodeTimers from 'node:timers'
import { syncBuiltinESMExports } from 'node:module'

/** Node's permission model does not cover signals: every JavaScript path to kill(2) goes before learner code comes. */
export function harden(): void {
  for (const name of ['kill', '_kill', '_debugProcess', '_debugEnd', 'abort', 'dlopen', 'setuid', 'setgid', 'chdir', 'umask', 'execve']) {
    if (!(name in process)) continue
    const refuse = (): never => {
      throw Object.assign(new Error(`process.${name} is not available here`), { code: 'ERR_ACCESS_DENIED' })
    }
    // An assignment is ignored, not refused: Node's own worker module, which node:util loads, makes one when it is imported.
    Object.defineProperty(process, name, { get: () => refuse, set: () => {}, configurable: false })
  }
  countTimers()
  ours = new Set(Object.getOwnPropertyNames(globalThis))
}

let timers = 0

let ours: ReadonlySet<string>

/** Names that learner code has added to the global object. */
export const addedGlobals = (): string[] => Object.getOwnPropertyNames(globalThis).filter((name) => !ours.has(name))

/** Timers that learner code has started and that have neither fired nor been cleared, unref'd ones included. */
export const pendingTimers = (): number => timers

function countTimers(): void {
  const { setTimeout: later, setInterval: every, clearTimeout: forget } = nodeTimers
  const open = new WeakSet<object>()
  const settle = (timer: unknown): void => {
    if (typeof timer === 'object' && timer !== null && open.delete(timer)) timers--
  }
  const counted = {
    setTimeout(callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) {
      const timer = later(() => {
        settle(timer)
        callback(...args)
      }, ms)
      open.add(timer)
      timers++
      return timer
    },
    setInterval(callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) {
      const timer = every(callback, ms, ...args)
      open.add(timer)
      timers++
      return timer
    },
    clearTimeout(timer: NodeJS.Timeout | undefined) {
      settle(timer)
      forget(timer)
    },
    clearInterval(timer: NodeJS.Timeout | undefined) {
      settle(timer)
      forget(timer)
    },
  }
  // util.promisify(setTimeout) must go on working.
  Object.defineProperties(counted.setTimeout, Object.getOwnPropertyDescriptors(later))
  Object.assign(globalThis, counted)
  Object.assign(nodeTimers, counted)
  syncBuiltinESMExports()
}

const RealDate = Date

/** Sets the clock that JavaScript sees `ms` off the machine's, for checks of who trusts the client's clock; 0 sets it right again. */
export function setClock(ms: number): void {
  globalThis.Date = ms === 0 ? RealDate : shiftedDate(ms)
  // No date leads to another clock.
  Object.defineProperty(RealDate.prototype, 'constructor', { value: globalThis.Date, writable: true, configurable: true })
  Reflect.deleteProperty(performance, 'timeOrigin')
  // `performance.now()` counts from there: the two together tell the time of day.
  if (ms !== 0) Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + ms, configurable: true })
}

function shiftedDate(ms: number): DateConstructor {
  const shifted = function (this: unknown, ...args: [] | [number]): unknown {
    if (!new.target) return new RealDate(RealDate.now() + ms).toString()
    return args.length === 0 ? new RealDate(RealDate.now() + ms) : Reflect.construct(RealDate, args, new.target)
  }
  shifted.prototype = RealDate.prototype
  Object.assign(shifted, { now: () => RealDate.now() + ms, parse: RealDate.parse, UTC: RealDate.UTC })
  return shifted as unknown as DateConstructor
}

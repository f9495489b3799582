import type { Text } from '#catalog/text.ts'
import { LearnerError } from '#sandbox/host.ts'
import type { Step } from '#scoring/outcome.ts'
import { show, type Command } from '#wire/redis-wire.ts'
import { showReply } from '#wire/resp.ts'
import type { Learner } from './learner.ts'
import type { Lane } from './run.ts'
import { both, CheckFailed, Inconclusive, shown } from './verdicts.ts'

/** A caller that sent nothing for this long, is idle and is told nothing by its check counts as blocked, in milliseconds. */
const BLOCKED_AFTER_MS = 30

/** As long as it has sent nothing at all, it has not begun: a pause before it begins must not keep it apart from the others. */
const BEGINS_WITHIN_MS = 1000

/** Commands that neither change nor read anything: in which order they come is all the same. */
const NEUTRAL = /^(PING|ECHO|TIME)$/
const matters = (command: Command): boolean => !NEUTRAL.test(command.name)

/** Races need two switches between the callers as a rule: what cannot be tried with so few is not passed. */
const FEW_SWITCHES = 2

export interface SchedulePlan<T> {
  /** Prepares the servers before every schedule; they are empty when it is called. */
  setup?(): Promise<void>
  /** Once for each caller, before the first schedule: makes the object it calls. */
  open?(learner: Learner): Promise<T>
  /** The concurrent calls, each made in a process of its own. Two, or three. */
  readonly callers: readonly ((learner: Learner, opened: T) => Promise<unknown>)[]
  /** Throws CheckFailed when what came out is not allowed. A rejected call's result is its LearnerError. */
  holds(results: readonly unknown[]): void | Promise<void>
  /** How a caller is called in the timeline: "call A". */
  readonly names?: readonly Text[]
  /** Schedules at most; default 300. Too few for all that switch twice between the callers is a failure of the calls. */
  readonly limit?: number
}

export interface Schedules {
  /**
   * Runs the calls under every order in which their frames can reach the server, those that switch least between the
   * callers first: few switches break most of what can be broken (https://doi.org/10.1145/1250734.1250785).
   * Fails with the first interleaving that breaks `holds`.
   */
  explore<T = undefined>(plan: SchedulePlan<T>): Promise<void>
}

interface Caller {
  readonly learner: Learner
  held: { command: Command; release: () => void }[]
  /** Has sent a command that matters. */
  begun: boolean
  unanswered: number
  done: boolean
  lastActive: number
}

interface Turn { readonly caller: number; readonly command: Command }

/** How a schedule begins, and the switches between the callers that it has at least. */
interface Branch { readonly prefix: readonly number[]; readonly switches: number }

export async function exploreSchedules<T>(
  plan: SchedulePlan<T>,
  start: () => Promise<Learner>,
  lane: Lane | null,
): Promise<void> {
  const learners = await Promise.all(plan.callers.map(() => start()))
  const opened = await Promise.all(learners.map((learner) => plan.open?.(learner) as Promise<T>))
  const limit = plan.limit ?? 300
  // By the switches that a schedule begun like this has at least; what is found on the way comes later in turn.
  const open: (readonly number[])[][] = [[[]]]
  let schedules = 0
  for (let least = 0; least < open.length; least++) {
    for (const prefix of open[least] ?? []) {
      if (++schedules > limit) {
        if (least > FEW_SWITCHES) return
        throw new CheckFailed(both(`The calls send so many commands that not even the simplest of their orders are tried with ${limit}.`,
          `Các lời gọi gửi nhiều lệnh đến mức ${limit} thứ tự không đủ để thử cả những thứ tự đơn giản nhất.`))
      }
      await lane!.admin.flushdb()
      await plan.setup?.()
      const { turns, results, branches } = await runSchedule(plan, learners, opened, prefix)
      for (const { prefix: begin, switches } of branches) (open[switches] ??= []).push(begin)
      try {
        await plan.holds(results)
      } catch (error) {
        throw error instanceof CheckFailed ? interleaving(plan, turns, results, error) : error
      }
    }
  }
}

/** One run: follows `prefix`, then always the caller that went last; returns the choices it did not take. */
async function runSchedule<T>(
  plan: SchedulePlan<T>, learners: readonly Learner[], opened: readonly T[], prefix: readonly number[],
): Promise<{ turns: Turn[]; results: unknown[]; branches: Branch[] }> {
  let wake = (): void => {}
  const callers = learners.map((learner): Caller => ({ learner, held: [], begun: false, unanswered: 0, done: false, lastActive: performance.now() }))
  const active = (caller: Caller): void => {
    caller.lastActive = performance.now()
    wake()
  }
  for (const caller of callers) {
    caller.learner.wire.gate = (command) => new Promise((resolve) => {
      caller.begun ||= matters(command)
      caller.held.push({ command, release: () => resolve('pass') })
      active(caller)
    })
    caller.learner.wire.replyGate = (command) => {
      if (!BLOCKING.test(command.name)) caller.unanswered--
      active(caller)
      return 'pass'
    }
  }
  const results: unknown[] = []
  const calls = plan.callers.map(async (call, i) => {
    try {
      results[i] = await call(learners[i]!, opened[i]!)
    } catch (error) {
      if (!(error instanceof LearnerError)) throw error
      results[i] = error
    } finally {
      callers[i]!.done = true
      active(callers[i]!)
    }
  })
  const all = Promise.all(calls)
  all.catch(() => wake())

  const turns: Turn[] = []
  const branches: Branch[] = []
  try {
    for (;;) {
      await quiet(callers, (f) => { wake = f })
      if (callers.every((caller) => caller.done && caller.held.length === 0)) break
      const ready = callers.flatMap((caller, i) => (caller.held.length > 0 ? [i] : []))
      if (ready.length === 0) {
        // Everybody waits for something else (a timer): the deadline of the call is what ends this.
        await new Promise<void>((resolve) => {
          wake = resolve
          setTimeout(resolve, 5)
        })
        continue
      }
      const choices = turns.filter(({ command }) => matters(command)).map(({ caller }) => caller)
      const last = choices.at(-1)
      const preferred = last !== undefined && ready.includes(last) ? last : ready[0]!
      const planned = prefix[turns.length]
      const neutral = ready.find((i) => !matters(callers[i]!.held[0]!.command))
      const chosen = planned !== undefined && ready.includes(planned) ? planned : neutral ?? preferred
      if (turns.length >= prefix.length && neutral === undefined) {
        const taken = turns.map(({ caller }) => caller)
        for (const other of ready) if (other !== chosen) branches.push({ prefix: [...taken, other], switches: leastSwitches([...choices, other]) })
      }
      const { command, release } = callers[chosen]!.held.shift()!
      if (!BLOCKING.test(command.name) && !SUBSCRIBING.test(command.name)) callers[chosen]!.unanswered++
      turns.push({ caller: chosen, command })
      callers[chosen]!.lastActive = performance.now()
      release()
      if (turns.length > 2000) throw new CheckFailed(both('The calls never come to an end.', 'Các lời gọi không bao giờ kết thúc.'))
    }
    await all
  } finally {
    for (const caller of callers) {
      caller.learner.wire.gate = null
      caller.learner.wire.replyGate = null
      for (const { release } of caller.held) release()
    }
    await Promise.allSettled(calls)
  }
  return { turns, results, branches }
}

const BLOCKING = /^(B[LRZ]|BLMOVE|XREAD|XREADGROUP|WAIT)/
const SUBSCRIBING = /SUBSCRIBE$/

/**
 * Waits until every caller has a frame to send, is done, or is blocked. Blocked means: nothing sent for a while *and*
 * an idle event loop *and* no word between it and its check, whose next call may lead to a frame; on a busy machine a
 * slow caller is waited for instead of being passed over.
 */
async function quiet(callers: readonly Caller[], onWake: (wake: () => void) => void): Promise<void> {
  for (;;) {
    const busy = callers.filter((caller) => !caller.done && (caller.unanswered > 0 || caller.held.length === 0))
    if (busy.length === 0) return
    const wait = Math.max(...busy.map(({ begun, lastActive }) => lastActive + (begun ? BLOCKED_AFTER_MS : BEGINS_WITHIN_MS) - performance.now()))
    if (wait <= 0 && busy.every((caller) => caller.unanswered === 0)) {
      const moved = (caller: Caller): string => `${caller.lastActive} ${caller.learner.host.exchanged()}`
      const before = busy.map(moved)
      await Promise.all(busy.map((caller) => caller.learner.host.idle()))
      await turn()
      await turn()
      if (busy.every((caller, i) => moved(caller) === before[i])) return
      continue
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, wait))
      onWake(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    if (performance.now() - Math.max(...callers.map((caller) => caller.lastActive)) > 10_000) {
      throw new Inconclusive(both('Redis did not answer a command for 10 s.', 'Redis không trả lời một lệnh trong 10 giây.'))
    }
  }
}

/** The last choice passes over a caller that was ready, and whose turn comes later. */
const leastSwitches = (branch: readonly number[]): number => branch.filter((caller, i) => i > 0 && caller !== branch[i - 1]).length + 1

function interleaving<T>(plan: SchedulePlan<T>, turns: readonly Turn[], results: readonly unknown[], error: CheckFailed): CheckFailed {
  const names = plan.names ?? plan.callers.map((_, i) => both(`call ${'ABC'[i]}`, `lời gọi ${'ABC'[i]}`))
  const steps = turns.map(({ caller, command }): Step => ({
    lane: caller, text: show(command), reply: command.reply && showReply(command.reply).slice(0, 80), mark: null,
  }))
  const ends = results.map((result, lane): Step => ({ lane, text: `⇒ ${shown(result)}`, reply: null, mark: null }))
  return new CheckFailed(error.text, { ...error.evidence, kind: 'interleaving', lanes: names, steps: [...steps, ...ends] })
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))


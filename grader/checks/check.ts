/**
 * What a hidden suite is written with. A check reads like the promise it checks; the rubric holds what a learner sees,
 * the code holds what is done. Everything a check needs is in its context or exported from here.
 */
import { inject, test } from 'vitest'
import type { Redis } from 'ioredis'
import type { Text } from '#catalog/text.ts'
import { HostEnded, LearnerError } from '#sandbox/host.ts'
import { crowded } from '#sandbox/stopwatch.ts'
import type { Evidence, Outcome } from '#scoring/outcome.ts'
import { exploreCuts, type Cuts } from './cuts.ts'
import { hosts } from './hosts.ts'
import { assureKafka, closeKafka, kafkaWorld, type KafkaWorld } from './kafka-world.ts'
import { learners, type Learner, type RedisOptions } from './learner.ts'
import { ownTraffic } from './own-traffic.ts'
import { waitedInVain } from './patience.ts'
import { assureRedis, openRun, type Lane, type Run, type RunConfig } from './run.ts'
import { exploreSchedules, type Schedules } from './schedules.ts'
import { twoOfThree } from './tries.ts'
import { both, CheckFailed, Inconclusive, NotApplicable, ServiceGone, WaitedInVain } from './verdicts.ts'

export { besideACutClient } from './beside.ts'
export { copyCommands } from './copies.ts'
export { atMost, becomes, between, escaped, holds, refuses, rejects, same, settled, until } from './expectations.ts'
export { methods, plain, type Methods } from './methods.ts'
export { commandsRun } from './monitor.ts'
export { nextMoment, serverNow, serverReaches } from './server-clock.ts'
export { plantWrongType, wrongTypesMet } from './wrong-types.ts'
export { both, CheckFailed, Inconclusive, NotApplicable, shown } from './verdicts.ts'
export { HostEnded, LearnerError } from '#sandbox/host.ts'
export { show, type Command, type RedisWire } from '#wire/redis-wire.ts'
export { API, namedTopics, producedAcks, type ApiName, type KafkaRequest, type KafkaWire } from '#wire/kafka-wire.ts'
export type { Text } from '#catalog/text.ts'
export type { Instance } from '#sandbox/host.ts'
export { caughtUp, quiet, type Learner } from './learner.ts'
export type { KafkaWorld } from './kafka-world.ts'
export type { CommittedRecord } from './direct-kafka.ts'

export interface CheckContext {
  /** The learner's code in a process of its own, with a client. */
  readonly learner: Learner
  /** The same code in another process, with another client to the same servers. */
  another(options?: { clockShiftMs?: number; redis?: RedisOptions; kafka?: { retries?: number } }): Promise<Learner>
  /** The grader's own connection to the check's Redis, past every wire. Empty at the start. */
  readonly redis: Redis
  /** Topics, groups and what became of them. */
  readonly kafka: KafkaWorld
  /** Every order of the frames of concurrent calls. */
  readonly schedules: Schedules
  /** Every point at which a call can be cut off. */
  readonly cuts: Cuts
  /** Says what is being done, for the evidence. */
  did(text: Text): void
}

declare module 'vitest' {
  interface ProvidedContext { run: RunConfig }
  interface TaskMeta { outcome?: Outcome }
}

let opened: Run | undefined
/** The run under way in this thread: one submission of one exercise. */
export const theRun = (): Run => (opened ??= openRun(inject('run'), hosts()))

export async function closeRun(): Promise<void> {
  await Promise.all([opened?.close(), closeKafka()])
  opened = undefined
}

/** `n` calls at once; every `await` yields, so all first commands go out before any second one. */
export function storm<T>(n: number, call: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: n }, (_, i) => call(i)))
}

interface Declared { readonly id: string; readonly waits: boolean; readonly body: (context: CheckContext) => Promise<void> }

/** Calls and waits have deadlines of their own; this one only ends what the grader itself forgot. */
const MOST_MS = 600_000

let declared: Declared[] = []
const ofFile = new Map<string, readonly Declared[]>()

/** Declares the check `id` of the rubric. One that `waits`, for a window or a lease to end, is started before the others. */
export function check(id: string, body: Declared['body'], options: { waits?: boolean } = {}): void {
  declared.push({ id, waits: options.waits === true, body })
}

/** Hands what the files declare to the runner, those that wait first. */
export async function registerChecks(files: readonly string[]): Promise<void> {
  const checks: Declared[] = []
  for (const file of files) checks.push(...await declaredIn(file))
  for (const { id, waits, body } of [...checks.filter(({ waits }) => waits), ...checks.filter(({ waits }) => !waits)]) {
    test.concurrent(id, { timeout: MOST_MS }, async ({ task }) => {
      const outcome = waits ? await conclude(id, theRun(), body) : await inTurn(theRun(), (run) => conclude(id, run, body))
      task.meta.outcome = outcome
      // The runner only needs to know that it failed: what a host sent must never reach it as live fields.
      if (outcome.verdict === 'fail') throw new Error(outcome.message?.en ?? 'failed')
    })
  }
}

/** While checks that wait are waiting, a few others have the cores. */
async function inTurn<T>(run: Run, work: (run: Run) => Promise<T>): Promise<T> {
  const turn = await run.turns.take()
  try {
    return await work(run)
  } finally {
    run.turns.give(turn)
  }
}

/** A file declares when it is first imported, and is asked for again in every run of its exercise. */
async function declaredIn(file: string): Promise<readonly Declared[]> {
  const known = ofFile.get(file)
  if (known) return known
  declared = []
  await import(file)
  ofFile.set(file, declared)
  return declared
}

const conclude = (id: string, run: Run, body: Declared['body']): Promise<Outcome> => twoOfThree(() => tryOnce(id, run, body), crowded)

async function tryOnce(id: string, run: Run, body: Declared['body']): Promise<Outcome> {
  const lane = run.config.redis.length > 0 ? await run.lanes.take() : null
  const topics = new Set<string>()
  const group = learners(run, lane, id, topics)
  const started = performance.now()
  let told: Text | null = null
  const outcome = (verdict: Outcome['verdict'], message: Text | null = null, evidence: Evidence | null = null): Outcome =>
    ({ id, verdict, message, evidence, blockedBy: null, durationMs: Math.round(performance.now() - started) })
  try {
    if (lane) await empty(lane)
    const learner = await group.start()
    let isFree = true
    // Explorers want processes of their own; where a check has no use for its learner, that one is the first of them.
    const start = async (): Promise<Learner> => {
      if (!isFree) return group.start()
      isFree = false
      return learner
    }
    await body({
      get learner() {
        isFree = false
        return learner
      },
      another: (options) => group.start(options),
      redis: lane?.admin as Redis,
      kafka: run.config.kafka ? kafkaWorld(run, topics) : (undefined as never),
      schedules: { explore: (plan) => exploreSchedules(plan, start, lane) },
      cuts: { explore: (plan) => exploreCuts(plan, start, lane) },
      did: (text) => { told = text },
    })
    return outcome('pass')
  } catch (error) {
    try {
      // Scripts of a process that hangs must not go on while the server is asked how it is.
      if (error instanceof HostEnded) for (const wire of group.redisWires) wire.down()
      if (lane) await assureRedis(lane)
      if (run.config.kafka) await assureKafka(run)
      return judge(error)
    } catch (trouble) {
      return judge(trouble)
    }
  } finally {
    await group.close()
    if (lane) run.lanes.give(lane)
  }

  function judge(error: unknown): Outcome {
    if (error instanceof WaitedInVain) waitedInVain(id)
    if (error instanceof CheckFailed) return outcome('fail', error.text, evidence(error.evidence))
    if (error instanceof LearnerError) {
      const { name, message, stack } = error.facts
      return outcome('fail',
        both(`${error.call} should succeed, and threw ${name}: ${message.slice(0, 200)}`, `${error.call} lẽ ra phải thành công nhưng lại ném lỗi ${name}: ${message.slice(0, 200)}`),
        evidence({ kind: 'error', got: error.message.slice(0, 500), stack: run.learnerFrames(stack) }))
    }
    if (error instanceof HostEnded) return outcome('fail', endSentence(error), evidence({ kind: 'error', got: error.lastWords || null }))
    if (error instanceof NotApplicable) return outcome('skipped', error.text)
    if (error instanceof ServiceGone) return { ...outcome('inconclusive', error.text), serviceFailed: true }
    if (error instanceof Inconclusive) return outcome('inconclusive', error.text)
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return outcome('inconclusive', both(`The grader failed: ${text.slice(0, 1500)}`, `Trình chấm gặp lỗi: ${text.slice(0, 1500)}`))
  }
  function evidence(partial: Partial<Evidence>): Evidence {
    const commands = partial.steps ? { lanes: partial.lanes ?? [], steps: partial.steps } : ownTraffic(group.redisWires, group.kafkaWires)
    return { kind: 'values', did: told, expected: null, got: null, diagnostics: [], stack: [], ...partial, ...commands }
  }
}

async function empty(lane: Lane): Promise<void> {
  await assureRedis(lane)
  await lane.admin.flushdb()
}

function endSentence(error: HostEnded): Text {
  switch (error.reason) {
    case 'deadline': return both(`No answer: ${error.message}.`, `Không có câu trả lời: ${error.message.replace('did not settle within', 'chưa xong sau')}.`)
    case 'memory': return both('The code used more memory than it may (400 MB).', 'Mã dùng quá nhiều bộ nhớ (tối đa 400 MB).')
    case 'garbage': return both('The code sent something that cannot be read.', 'Mã gửi về dữ liệu không đọc được.')
    default: return both(`The process ended in the middle of a call: ${error.message}.`, `Tiến trình kết thúc giữa lời gọi${/ \(.*\)$/.exec(error.message)?.[0] ?? ''}.`)
  }
}

import fs from 'node:fs'
import path from 'node:path'
import type { Exercise } from '#catalog/exercise.ts'
import { readSubmission, type Submission } from '#catalog/submission.ts'
import type { Text } from '#catalog/text.ts'
import type { RunConfig } from '#checks/run.ts'
import { isolation } from '#sandbox/isolation.ts'
import type { Outcome } from '#scoring/outcome.ts'
import { acquire, type Lease, type Need } from '#services/services.ts'
import { analyse } from '#static/analyse.ts'
import type { Graded, Grader, GradeOptions, State } from './grade.types.ts'
import type { Run, Runner } from './runner/runner.ts'
import { runnersAtMost } from './runner/runners.ts'

type GetRunner = () => Promise<Runner>

/** How many Redis servers one run uses side by side, where the machine can give them. Checks that wait keep theirs meanwhile. */
const LANES = 6

/** A grader of this process's own. */
export interface OwnGrader extends Grader {
  /** Gets ready for the next submission; otherwise that happens when one comes. */
  refill(): void
}

/**
 * The one way in: the command line, the class workers and the self-check all grade through this. `atOnce` submissions
 * are graded side by side, the others wait. Nothing below prints, reads flags or knows who called.
 */
export function openGrader(atOnce = 1): OwnGrader {
  const runners = runnersAtMost(atOnce)
  return {
    grade: (exercise, submission, options = {}) => runners.use((runner) => gradeOne(exercise, submission, options, runner)),
    refill: runners.refill,
    close: runners.close,
  }
}

async function gradeOne(exercise: Exercise, submission: Submission, options: GradeOptions, runner: GetRunner): Promise<Graded> {
  const started = performance.now()
  const done = (state: State, message: Text | null, outcomes: readonly Outcome[], lease: Lease | null): Graded => {
    options.onEvent?.({ type: 'finished', exercise })
    const durationMs = Math.round(performance.now() - started)
    return { exercise, state, message, outcomes, durationMs, services: inUse(lease), isolation: isolation() }
  }
  options.onEvent?.({ type: 'started', exercise })
  const analysis = analyse(submission, exercise)
  const bundle = await analysis.bundle
  if (bundle.state === 'broken') return done('broken', bundle.message, [], null)
  if (await analysis.untouched) return done('untouched', UNTOUCHED, [], null)

  let outcomes: readonly Outcome[] = []
  let lease: Lease | null = null
  for (let attempt = 1; ; attempt++) {
    lease = await acquire(
      needOf(exercise),
      { kind: options.services, onProgress: (message) => options.onEvent?.({ type: 'services', exercise, message }) },
    )
    let isWhole: boolean
    try {
      const ran = await runChecks(exercise, bundle, lease, runner, (outcome) => options.onEvent?.({ type: 'outcome', exercise, outcome }))
      if (ran.broken) return done('broken', ran.broken, [], lease)
      if (attempt > 1 && ran.failure) throw new Error(`the checks cannot be run (${ran.failure.message})`, { cause: ran.failure })
      outcomes = ran.outcomes
      isWhole = ran.isWhole
    } finally {
      await lease.release()
    }
    const unsure = outcomes.find((outcome) => outcome.verdict === 'inconclusive')
    if (isWhole && !unsure) break
    const serviceFailed = outcomes.some((outcome) => outcome.serviceFailed)
    if (attempt === 3 && serviceFailed) return done('broken', BREAKS_SERVICES, [], lease)
    // Twice may be chance, or the doing of others who use the services: the solution in between and a third time are not.
    const mayBreakThem = attempt === 2 && serviceFailed && (await solutionPasses(exercise, options, runner))
    if (attempt > 1 && !mayBreakThem) break
    options.onEvent?.({ type: 'retrying', exercise, reason: unsure?.message ?? UNKNOWN })
  }
  const found = [...outcomes, ...(await analysis.outcomes)]
  const all = exercise.checks.map(({ id }) => found.find((outcome) => outcome.id === id) ?? missing(id))
  const unsure = all.find((outcome) => outcome.verdict === 'inconclusive')
  return unsure ? done('not-graded', unsure.message, all, lease) : done('graded', null, all, lease)
}

/** Tells a submission that takes the services down from services that are down by themselves. */
async function solutionPasses(exercise: Exercise, options: GradeOptions, runner: GetRunner): Promise<boolean> {
  if (!exercise.solutionDir) return false
  const bundle = await analyse(await readSubmission(path.join(exercise.solutionDir, 'solution.ts'), exercise), exercise).bundle
  if (bundle.state === 'broken') return false
  const lease = await acquire(needOf(exercise), options.services ? { kind: options.services } : {})
  try {
    const { outcomes } = await runChecks(exercise, bundle, lease, runner, () => {})
    return outcomes.length > 0 && outcomes.every(({ verdict }) => verdict === 'pass' || verdict === 'skipped')
  } finally {
    await lease.release()
  }
}

async function runChecks(
  exercise: Exercise, bundle: { code: string; map: string }, lease: Lease, runner: GetRunner, onOutcome: (outcome: Outcome) => void,
): Promise<Run> {
  const config: RunConfig = { code: bundle.code, sourceMap: bundle.map, redis: lease.redis, kafka: lease.kafka }
  return (await runner()).run(checkFiles(exercise), config, onOutcome)
}

function needOf({ services }: Exercise): Need {
  return { redis: services.includes('redis') ? LANES : 0, kafka: services.includes('kafka') }
}

/** From the end of the alphabet: those of the advanced level take most processes, and the others have some left by then. */
function checkFiles(exercise: Exercise): string[] {
  const folder = path.join(exercise.solutionDir!, 'checks')
  return fs.readdirSync(folder).filter((name) => name.endsWith('.ts')).sort().reverse().map((name) => path.join(folder, name))
}

function inUse(lease: Lease | null): Graded['services'] {
  const redis = lease?.redis[0]
  return {
    redis: redis ? { version: redis.version, from: redis.from } : null,
    kafka: lease?.kafka ? { version: lease.kafka.version, from: lease.kafka.from } : null,
  }
}

function missing(id: string): Outcome {
  return { id, verdict: 'inconclusive', message: { en: `The check ${id} did not run.`, vi: `Mục kiểm tra ${id} không chạy.` }, evidence: null, blockedBy: null, durationMs: 0 }
}

const UNTOUCHED: Text = {
  en: 'This is still the stub: replace the TODOs with your code.',
  vi: 'Đây vẫn là khung mã: hãy thay các TODO bằng mã của bạn.',
}
const BREAKS_SERVICES: Text = {
  en: 'Redis or Kafka stopped answering three times under this code, while the reference solution passes: look for a script or a loop that never ends.',
  vi: 'Redis hoặc Kafka ba lần ngừng trả lời khi chạy mã này, trong khi lời giải tham khảo vẫn đạt: hãy tìm script hoặc vòng lặp không bao giờ kết thúc.',
}
const UNKNOWN: Text = { en: 'a check could not be concluded', vi: 'có mục kiểm tra chưa kết luận được' }

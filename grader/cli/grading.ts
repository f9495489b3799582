import type { Exercise } from '#catalog/exercise.ts'
import { readSubmission, SubmissionError, type Submission } from '#catalog/submission.ts'
import type { Graded, Grader } from '../grade.types.ts'
import type { GradingOptions } from './options.ts'
import { showProgress } from './progress.ts'

/** What to grade: a path somebody typed, or the kit's own files. */
export type Target =
  | { readonly path: string; readonly from: string; readonly exercises: readonly Exercise[] }
  | { readonly path: null; readonly exercises: readonly Exercise[]; readonly fileOf: (exercise: Exercise) => string }

export interface Result {
  /** As it was typed; null for the kit's own files. */
  readonly submission: string | null
  readonly graded: readonly Graded[]
}

/**
 * Grades the targets one after the other; one that cannot be read is `broken`
 * and does not spoil the next. Throws SubmissionError when the only one is missing.
 */
export async function gradeSubmissions(targets: readonly Target[], options: GradingOptions): Promise<Result[]> {
  const progress = showProgress(options.lang)
  const { openGrader } = await import('#grade')
  const grader = await openGrader({
    ...(options.services && { services: options.services }),
    onEvent: progress.onEvent,
  })
  try {
    const results: Result[] = []
    for (const target of targets) {
      results.push({ submission: target.path, graded: await gradeTarget(grader, target, targets.length === 1) })
    }
    return results
  } finally {
    progress.end()
    await grader.close()
  }
}

async function gradeTarget(grader: Grader, target: Target, only: boolean): Promise<Graded[]> {
  const graded: Graded[] = []
  const readings = await Promise.all(target.exercises.map((exercise) => read(target, exercise)))
  const errors = readings.filter((reading) => reading instanceof SubmissionError)
  if (only && errors[0]?.missing && errors.length === readings.length) throw errors[0]
  for (const [index, reading] of readings.entries()) {
    const exercise = target.exercises[index]!
    graded.push(reading instanceof SubmissionError ? unreadable(exercise, reading) : await grader.grade(exercise, reading))
  }
  return graded
}

async function read(target: Target, exercise: Exercise): Promise<Submission | SubmissionError> {
  try {
    if (target.path === null) return await readSubmission(target.fileOf(exercise), exercise)
    return await readSubmission(target.path, exercise, target.from)
  } catch (error) {
    if (error instanceof SubmissionError) return error
    throw error
  }
}

function unreadable(exercise: Exercise, { text }: SubmissionError): Graded {
  return {
    exercise,
    state: 'broken',
    message: text,
    outcomes: [],
    durationMs: 0,
    services: { redis: null, kafka: null },
    isolation: 'bubblewrap',
  }
}

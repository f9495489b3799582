import type { Exercise } from '#catalog/exercise.ts'
import { readSubmission, SubmissionError, type Submission } from '#catalog/submission.ts'
import type { Text } from '#catalog/text.ts'
import type { Graded, Grader, GradeOptions } from '../grade.types.ts'
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
 * Grades the targets; one that cannot be read is `broken` and does not spoil the next.
 * Throws SubmissionError when the only one is missing.
 */
export async function gradeSubmissions(targets: readonly Target[], options: GradingOptions): Promise<Result[]> {
  const readings = await Promise.all(targets.map(readAll))
  const [only, ...more] = readings
  if (only && more.length === 0) throwIfMissing(only)
  const progress = showProgress(options.lang, readings.flat().length)
  const { openResident } = await import('#resident/call.ts')
  const grader = await openResident()
  const gradeOptions = { ...(options.services && { services: options.services }), onEvent: progress.onEvent }
  const interrupt = Promise.withResolvers<void>()
  // Ctrl-C once reports what is known by then; twice ends at once.
  process.once('SIGINT', () => interrupt.resolve())
  const orInterrupted = (reading: Reading): Promise<Graded> =>
    Promise.race([gradeOne(grader, reading, gradeOptions), interrupt.promise.then(() => notGraded(reading.exercise, INTERRUPTED))])
  // Later exercises take longer: begun first, none of them is alone at the end.
  const lastFirst = async (those: readonly Reading[]): Promise<Graded[]> => (await Promise.all(those.toReversed().map(orInterrupted))).toReversed()
  try {
    return await Promise.all(targets.map(async ({ path }, index) => ({ submission: path, graded: await lastFirst(readings[index]!) })))
  } finally {
    process.removeAllListeners('SIGINT')
    progress.end()
    await grader.close()
  }
}

interface Reading {
  readonly exercise: Exercise
  readonly submission: Submission | SubmissionError
}

function readAll(target: Target): Promise<Reading[]> {
  return Promise.all(target.exercises.map(async (exercise) => ({ exercise, submission: await read(target, exercise) })))
}

function throwIfMissing(readings: readonly Reading[]): void {
  const errors = readings.flatMap(({ submission }) => (submission instanceof SubmissionError ? submission : []))
  if (errors[0]?.missing && errors.length === readings.length) throw errors[0]
}

async function gradeOne(grader: Grader, { exercise, submission }: Reading, options: GradeOptions): Promise<Graded> {
  if (submission instanceof SubmissionError) return unreadable(exercise, submission)
  return await grader.grade(exercise, submission, options)
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

const unreadable = (exercise: Exercise, { text }: SubmissionError): Graded => ({ ...notGraded(exercise, text), state: 'broken' })

function notGraded(exercise: Exercise, message: Text): Graded {
  return {
    exercise,
    state: 'not-graded',
    message,
    outcomes: [],
    durationMs: 0,
    services: { redis: null, kafka: null },
    isolation: 'bubblewrap',
  }
}

const INTERRUPTED: Text = { en: 'Interrupted before it was graded.', vi: 'Bị ngắt khi chưa chấm xong.' }

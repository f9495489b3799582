import type { Exercise } from '#catalog/exercise.ts'
import { score } from '#scoring/score.ts'
import type { Graded } from '../grade.types.ts'
import type { Known } from './material.ts'

/** Holds what a known program got against what it must get; returns a sentence for each difference. Pure. */
export function judgeKnown(known: Known, graded: Graded): string[] {
  if (known.kind === 'stub') return judgeStub(graded)
  if (graded.state !== 'graded') return [`is ${graded.state}: ${graded.message?.en ?? ''}`]
  const failed = graded.outcomes.filter(({ verdict }) => verdict === 'fail')
  const problems: string[] = []
  for (const { id, message } of failed) {
    if (!known.fails.includes(id)) problems.push(`fails ${id}, which it does not declare: ${message?.en ?? ''}`)
  }
  for (const id of known.fails) {
    if (!failed.some((outcome) => outcome.id === id)) problems.push(`is not caught by ${id}, which it declares`)
  }
  if (known.kind === 'mutant' || known.fails.length > 0 || problems.length > 0) return problems
  const { score: points, level } = score(graded.exercise, graded)
  return points === 100 && level === 'advanced' ? [] : [`gets ${points} points and level ${level} instead of 100 and advanced`]
}

function judgeStub({ state, exercise, outcomes }: Graded): string[] {
  if (state !== 'untouched') return [`is ${state} instead of untouched`]
  const { score: points } = score(exercise, { state, outcomes })
  return points === 0 ? [] : [`gets ${points} points instead of 0`]
}

/** Own checks of the exercise that no mutant is declared to fail: nobody knows whether they can. */
export function withoutKiller(exercise: Exercise, programs: readonly Known[]): string[] {
  const killed = new Set(programs.filter(({ kind }) => kind === 'mutant').flatMap(({ fails }) => fails))
  return exercise.checks.filter(({ id, common, weight }) => !common && weight > 0 && !killed.has(id)).map(({ id }) => id)
}

/** Common checks that no mutant of any exercise is declared to fail. */
export function commonWithoutKiller(exercises: readonly Exercise[], programs: readonly Known[]): string[] {
  const killed = new Set(programs.filter(({ kind }) => kind === 'mutant').flatMap(({ fails }) => fails))
  const common = new Set(exercises.flatMap(({ checks }) => checks.filter((check) => check.common).map(({ id }) => id)))
  return [...common].filter((id) => !killed.has(id))
}

/** Verdicts of one program that differ between two gradings, as `id: pass → fail`. */
export function changedVerdicts(before: Graded, after: Graded): string[] {
  if (before.state !== after.state) return [`state: ${before.state} → ${after.state}`]
  return before.outcomes.flatMap(({ id, verdict }, i) => {
    const now = after.outcomes[i]!.verdict
    return verdict === now ? [] : [`${id}: ${verdict} → ${now}`]
  })
}

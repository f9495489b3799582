import type { RubricCheck } from '#catalog/exercise.ts'
import type { Outcome } from './outcome.ts'

/** A check of the rubric and what came of it. */
export interface Judged {
  readonly check: RubricCheck
  readonly outcome: Outcome
}

/** Skipped because it cannot apply, and not because another check failed. */
export function isExempt({ verdict, blockedBy }: Outcome): boolean {
  return verdict === 'skipped' && blockedBy === null
}

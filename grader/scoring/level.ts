import { levels, type Level } from '#catalog/levels.ts'
import { isExempt, type Judged } from './judged.ts'

/**
 * The highest level such that all its checks and all those of lower levels
 * pass; checks that cannot apply bar nobody, and a level without checks is
 * never the one reached.
 */
export function levelReached(judged: readonly Judged[]): Level | 'none' {
  let reached: Level | 'none' = 'none'
  for (const level of levels) {
    const own = judged.filter(({ check }) => check.level === level)
    if (!own.every(({ outcome }) => outcome.verdict === 'pass' || isExempt(outcome))) break
    if (own.length > 0) reached = level
  }
  return reached
}

import type { Exercise, RubricCheck } from '#catalog/exercise.ts'
import { criteria, shares, type Criterion, type Level } from '#catalog/levels.ts'
import type { Text } from '#catalog/text.ts'
import type { Graded } from '../grade.types.ts'
import { apportion } from './apportion.ts'
import { isExempt, type Judged } from './judged.ts'
import { levelReached } from './level.ts'
import type { Outcome } from './outcome.ts'

export interface Points {
  readonly earned: number
  readonly possible: number
}

export interface ScoredCheck {
  readonly check: RubricCheck
  /** As it counts: tidiness is `skipped` while nothing works. */
  readonly outcome: Outcome
  /** With one decimal, like all points: they add up without drifting. */
  readonly points: number
  /** 0 for a check that cannot apply: its weight is shared among its criterion's others. */
  readonly possible: number
}

export interface ExerciseScore {
  readonly level: Level | 'none'
  /** 0 to 100; null while not all of it is known. */
  readonly score: number | null
  /** What is known; provisional when `score` is null. */
  readonly criteria: Readonly<Record<Criterion, Points>>
  /** In the rubric's order; empty when nothing was run. */
  readonly checks: readonly ScoredCheck[]
}

/** Turns what was observed into points and a level. Pure. */
export function score(exercise: Exercise, graded: Pick<Graded, 'state' | 'outcomes'>): ExerciseScore {
  if (graded.outcomes.length === 0) return nothing(graded.state === 'not-graded' ? null : 0)
  const judged = holdTidinessBack(pairUp(exercise, graded.outcomes))
  const works = someFunctionPasses(judged)
  const possible = possiblePoints(judged)
  const checks = judged.map(({ check, outcome }) => {
    const worth = possible.get(check)!
    return { check, outcome, points: outcome.verdict === 'pass' ? worth : 0, possible: worth }
  })
  const points = Object.fromEntries(criteria.map((criterion) => [criterion, earnedIn(criterion, checks, works)]))
  const unknown = graded.state === 'not-graded' || judged.some(({ outcome }) => outcome.verdict === 'inconclusive')
  return {
    level: levelReached(judged),
    score: unknown ? null : sum(Object.values(points).map(({ earned }) => earned)),
    criteria: points as Record<Criterion, Points>,
    checks,
  }
}

/** Adds numbers of one decimal without the drift of binary fractions. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((tenths, number) => tenths + Math.round(number * 10), 0) / 10
}

function pairUp({ checks }: Exercise, outcomes: readonly Outcome[]): Judged[] {
  const byId = new Map(outcomes.map((outcome) => [outcome.id, outcome]))
  return checks.map((check) => ({ check, outcome: byId.get(check.id) ?? notRun(check.id) }))
}

/** Code quality and documentation count only once some functionality passes. */
function holdTidinessBack(judged: readonly Judged[]): readonly Judged[] {
  if (someFunctionPasses(judged)) return judged
  const blocker = judged.find(({ check }) => check.criterion === 'functionality')?.check.id ?? null
  return judged.map(({ check, outcome }) => {
    const isTidiness = check.criterion === 'codeQuality' || check.criterion === 'documentation'
    if (!isTidiness || outcome.verdict === 'inconclusive') return { check, outcome }
    const heldBack = { verdict: 'skipped', message: nothingWorks, evidence: null, blockedBy: blocker } as const
    return { check, outcome: { ...outcome, ...heldBack } }
  })
}

function someFunctionPasses(judged: readonly Judged[]): boolean {
  return judged.some(({ check, outcome }) => check.criterion === 'functionality' && outcome.verdict === 'pass')
}

/** Shares each criterion's points among the checks that apply, by weight, in tenths of a point. */
function possiblePoints(judged: readonly Judged[]): ReadonlyMap<RubricCheck, number> {
  const possible = new Map<RubricCheck, number>()
  for (const criterion of criteria) {
    const own = judged.filter(({ check }) => check.criterion === criterion)
    const weights = own.map(({ check, outcome }) => (isExempt(outcome) ? 0 : check.weight))
    const tenths = apportion(shares[criterion] * 10, weights)
    for (const [index, { check }] of own.entries()) possible.set(check, tenths[index]! / 10)
  }
  return possible
}

/** A criterion in which nothing applies gives its points to whoever has something that works. */
function earnedIn(criterion: Criterion, checks: readonly ScoredCheck[], works: boolean): Points {
  const own = checks.filter(({ check }) => check.criterion === criterion)
  const given = own.every(({ outcome }) => isExempt(outcome)) && works
  return { earned: given ? shares[criterion] : sum(own.map(({ points }) => points)), possible: shares[criterion] }
}

function nothing(score: 0 | null): ExerciseScore {
  const points = criteria.map((criterion) => [criterion, { earned: 0, possible: shares[criterion] }])
  return { level: 'none', score, criteria: Object.fromEntries(points), checks: [] }
}

/** A check nobody ran is the kit's fault. */
function notRun(id: string): Outcome {
  return {
    id,
    verdict: 'inconclusive',
    message: { en: 'This check was not run.', vi: 'Mục kiểm tra này chưa được chạy.' },
    evidence: null,
    blockedBy: null,
    durationMs: 0,
  }
}

const nothingWorks: Text = {
  en: 'Counts only once some functionality works.',
  vi: 'Chỉ được tính khi đã có chức năng nào đó chạy đúng.',
}

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Exercise, RubricCheck } from '#catalog/exercise.ts'
import { criteria, levels, shares } from '#catalog/levels.ts'
import type { Outcome } from './outcome.ts'
import { score, sum } from './score.ts'

const state = 'graded'

const check = fc.record({
  level: fc.constantFrom(...levels, null),
  criterion: fc.constantFrom(...criteria),
  weight: fc.constantFrom(0.1, 1, 2, 3, 6, 7.5, 10),
})

/** A rubric with something to show in functionality, and a verdict for each of its checks. */
const rubrics = fc.array(check, { minLength: 1, maxLength: 30 }).map((checks) =>
  [{ level: 'beginner', criterion: 'functionality', weight: 3 } as const, ...checks].map(
    (one, index): RubricCheck => ({ ...one, id: `c${index}`, title: { en: '', vi: '' }, skills: [], common: false }),
  ),
)

const verdicts = fc.infiniteStream(fc.constantFrom('pass', 'fail', 'blocked', 'exempt'))

test('all passes are exactly 100 and advanced or less, whatever the weights', () => {
  fc.assert(
    fc.property(rubrics, (checks) => {
      const result = scored(checks, checks.map(() => 'pass'))
      expect(result.score).toBe(100)
      for (const criterion of criteria) expect(result.criteria[criterion].earned).toBe(shares[criterion])
    }),
  )
})

test('points add up: checks to their criterion, criteria to the score', () => {
  fc.assert(
    fc.property(rubrics, verdicts, (checks, stream) => {
      const result = scored(checks, checks.map(() => stream.next().value!))
      expect(result.score).toBe(sum(Object.values(result.criteria).map(({ earned }) => earned)))
      for (const criterion of criteria) {
        const own = result.checks.filter((one) => one.check.criterion === criterion)
        const possible = sum(own.map((one) => one.possible))
        expect([0, shares[criterion]]).toContain(possible)
        if (possible > 0) expect(result.criteria[criterion].earned).toBe(sum(own.map(({ points }) => points)))
      }
    }),
  )
})

test('a check that passes instead of failing never costs a point or a level', () => {
  fc.assert(
    fc.property(rubrics, verdicts, fc.nat(), (checks, stream, pick) => {
      const before = checks.map(() => stream.next().value!)
      const at = pick % checks.length
      if (before[at] === 'exempt') return
      const worse = scored(checks, before.with(at, 'fail'))
      const better = scored(checks, before.with(at, 'pass'))
      expect(better.score!).toBeGreaterThanOrEqual(worse.score!)
      const rank = (level: string) => ['none', ...levels].indexOf(level)
      expect(rank(better.level)).toBeGreaterThanOrEqual(rank(worse.level))
    }),
  )
})

test('nothing inconclusive has a score', () => {
  fc.assert(
    fc.property(rubrics, fc.nat(), (checks, pick) => {
      const given = checks.map((): Kind => 'pass').with(pick % checks.length, 'inconclusive')
      expect(scored(checks, given).score).toBeNull()
    }),
  )
})

test('a check that cannot apply shares its weight out; a blocked one keeps it and earns nothing', () => {
  const checks = [own('a', 'performance', 1), own('b', 'performance', 3), own('works', 'functionality', 1)]
  expect(scored(checks, ['exempt', 'pass', 'pass']).criteria.performance.earned).toBe(20)
  expect(scored(checks, ['exempt', 'pass', 'pass']).checks[0]).toMatchObject({ points: 0, possible: 0 })
  expect(scored(checks, ['blocked', 'pass', 'pass']).criteria.performance.earned).toBe(15)
})

test('a criterion in which nothing applies gives its points', () => {
  const checks = [own('a', 'performance', 1), own('works', 'functionality', 1)]
  expect(scored(checks, ['exempt', 'pass']).score).toBe(100)
  expect(scored(checks, ['exempt', 'fail']).score).toBe(0)
})

test('tidiness counts only once something works, and says so', () => {
  const checks = [own('works', 'functionality', 1), own('tidy', 'codeQuality', 1), own('docs', 'documentation', 1)]
  const { checks: result, score } = scored(checks, ['fail', 'pass', 'fail'])
  expect(score).toBe(0)
  expect(result.slice(1).map(({ outcome }) => [outcome.verdict, outcome.blockedBy, outcome.message?.en])).toEqual([
    ['skipped', 'works', 'Counts only once some functionality works.'],
    ['skipped', 'works', 'Counts only once some functionality works.'],
  ])
})

test('a level is reached with all the lower ones; checks without a level bar nobody', () => {
  const checks = [
    { ...own('b', 'functionality', 1), level: 'beginner' as const },
    { ...own('i', 'functionality', 1), level: 'intermediate' as const },
    { ...own('a', 'functionality', 1), level: 'advanced' as const },
    { ...own('tidy', 'codeQuality', 1), level: null },
  ]
  expect(scored(checks, ['pass', 'fail', 'pass', 'pass']).level).toBe('beginner')
  expect(scored(checks, ['pass', 'exempt', 'pass', 'fail']).level).toBe('advanced')
  expect(scored(checks, ['fail', 'pass', 'pass', 'pass']).level).toBe('none')
  expect(scored(checks, ['pass', 'pass', 'blocked', 'pass']).level).toBe('intermediate')
})

test('an untouched or broken exercise has 0 points, an ungraded one has no score', () => {
  const exercise = { checks: [own('works', 'functionality', 1)] } as unknown as Exercise
  expect(score(exercise, { state: 'untouched', outcomes: [] })).toMatchObject({ score: 0, level: 'none', checks: [] })
  expect(score(exercise, { state: 'broken', outcomes: [] }).score).toBe(0)
  expect(score(exercise, { state: 'not-graded', outcomes: [] }).score).toBeNull()
})

test('a check that nobody ran is inconclusive', () => {
  const exercise = { checks: [own('a', 'functionality', 1), own('b', 'functionality', 1)] } as unknown as Exercise
  const result = score(exercise, { state, outcomes: [outcome('a', 'pass')] })
  expect(result.checks[1]!.outcome.verdict).toBe('inconclusive')
  expect(result.score).toBeNull()
})

type Kind = 'pass' | 'fail' | 'blocked' | 'exempt' | 'inconclusive'

function scored(checks: readonly RubricCheck[], kinds: readonly Kind[]) {
  const outcomes = checks.map(({ id }, index) => outcome(id, kinds[index]!))
  return score({ checks } as unknown as Exercise, { state, outcomes })
}

function outcome(id: string, kind: Kind): Outcome {
  const verdict = kind === 'blocked' || kind === 'exempt' ? 'skipped' : kind
  return { id, verdict, message: null, evidence: null, blockedBy: kind === 'blocked' ? 'other' : null, durationMs: 1 }
}

function own(id: string, criterion: RubricCheck['criterion'], weight: number): RubricCheck {
  return { id, criterion, weight, level: 'beginner', title: { en: id, vi: id }, skills: [], common: false }
}

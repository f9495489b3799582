import { expect, test } from 'vitest'
import type { Exercise, RubricCheck } from '#catalog/exercise.ts'
import type { Outcome, Verdict } from '#scoring/outcome.ts'
import type { Graded } from '../grade.types.ts'
import { changedVerdicts, judgeKnown, withoutKiller } from './judge.ts'
import { readHeader, type Known } from './material.ts'

const check = (id: string): RubricCheck =>
  ({ id, title: { en: id, vi: id }, level: 'beginner', criterion: 'functionality', skills: ['redis/strings'], weight: 1, common: false })
const exercise = { number: 6, slug: '06-x', checks: [check('a'), check('b')] } as unknown as Exercise
const outcome = (id: string, verdict: Verdict): Outcome => ({ id, verdict, message: null, evidence: null, blockedBy: null, durationMs: 1 })
const graded = (a: Verdict, b: Verdict, state: Graded['state'] = 'graded'): Graded =>
  ({ exercise, state, message: null, outcomes: [outcome('a', a), outcome('b', b)], durationMs: 1, services: { redis: null, kafka: null }, isolation: 'bubblewrap' })
const known = (kind: Known['kind'], ...fails: string[]): Known => ({ kind, name: 'x.ts', file: '/x.ts', fails })

test('a mutant must fail exactly what it declares', () => {
  expect(judgeKnown(known('mutant', 'a'), graded('fail', 'pass'))).toEqual([])
  expect(judgeKnown(known('mutant', 'a'), graded('pass', 'pass'))).toEqual(['is not caught by a, which it declares'])
  expect(judgeKnown(known('mutant', 'a'), graded('fail', 'fail'))).toEqual(['fails b, which it does not declare: '])
})

test('a stub must be untouched, everything else graded', () => {
  expect(judgeKnown(known('stub'), { ...graded('pass', 'pass', 'untouched'), outcomes: [] })).toEqual([])
  expect(judgeKnown(known('stub'), graded('fail', 'fail'))).toEqual(['is graded instead of untouched'])
  expect(judgeKnown(known('solution'), graded('pass', 'pass', 'not-graded'))[0]).toMatch(/^is not-graded/)
})

test('a check no mutant fails is named', () => {
  expect(withoutKiller(exercise, [known('mutant', 'a'), known('variant', 'b')])).toEqual(['b'])
})

test('verdicts that differ between two gradings are named', () => {
  expect(changedVerdicts(graded('pass', 'fail'), graded('pass', 'pass'))).toEqual(['b: fail → pass'])
})

test('headers go on over several lines and end with the first code', () => {
  const header = readHeader('// Mistake: too late.\n// Fails: a,\n// Fails: b, c\nimport x from "y"\n// Fails: d\n')
  expect([...header]).toEqual([['Mistake', ['too late.']], ['Fails', ['a', 'b', 'c']]])
})

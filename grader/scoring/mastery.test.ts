import { expect, test } from 'vitest'
import type { Exercise } from '#catalog/exercise.ts'
import { skills } from '#catalog/skills.ts'
import type { Graded } from '../grade.types.ts'
import { courseLevels, skillStates, type Scored } from './mastery.ts'
import type { Verdict } from './outcome.ts'
import { score } from './score.ts'

test('the matrix has 22 cells', () => {
  expect(skills.size).toBe(22)
})

test('a skill is shown when every check tagged with it passes, in all exercises', () => {
  const one = graded(['redis/lua', 'pass'], ['redis/lock', 'pass'])
  const two = graded(['redis/lua', 'fail'], ['redis/strings', 'inconclusive'])
  expect(skillStates([one, two])).toMatchObject({
    'redis/lock': 'shown',
    'redis/lua': 'missing',
    'redis/strings': 'not-graded',
    'kafka/offsets': 'not-graded',
  })
})

test('an untouched exercise shows none of its skills, an ungraded one leaves them open', () => {
  const exercise = graded(['redis/lua', 'pass']).graded.exercise
  const inState = (state: Graded['state']) => {
    const result = { exercise, state, outcomes: [] } as unknown as Graded
    return skillStates([{ graded: result, score: score(exercise, result) }])['redis/lua']
  }
  expect(inState('untouched')).toBe('missing')
  expect(inState('broken')).toBe('missing')
  expect(inState('not-graded')).toBe('not-graded')
})

test('a course level needs all skills of its level and of those below', () => {
  const named = (course: string, level: string) =>
    [...skills].filter(([, cell]) => cell.course === course && cell.level === level).map(([skill]) => skill)
  const passing = (names: readonly string[]) => skillStates([graded(...names.map((name) => [name, 'pass'] as const))])
  const beginner = named('redis', 'beginner')
  expect(courseLevels(passing(beginner))).toEqual({ redis: 'beginner', kafka: 'none' })
  expect(courseLevels(passing(named('redis', 'intermediate')))).toEqual({ redis: 'none', kafka: 'none' })
  expect(courseLevels(passing([...skills.keys()]))).toEqual({ redis: 'advanced', kafka: 'advanced' })
})

function graded(...tagged: readonly (readonly [skill: string, verdict: Verdict])[]): Scored {
  const checks = tagged.map(([skill], index) => {
    return { id: `c${index}`, criterion: 'functionality', weight: 1, level: 'beginner', skills: [skill], common: false }
  })
  const outcomes = tagged.map(([, verdict], index) => ({ id: `c${index}`, verdict, blockedBy: null }))
  const exercise = { checks } as unknown as Exercise
  const result = { exercise, state: 'graded', outcomes } as unknown as Graded
  return { graded: result, score: score(exercise, result) }
}

import type { Exercise } from '#catalog/exercise.ts'
import { courses, skills, type Course } from '#catalog/skills.ts'
import { levels, type Level } from '#catalog/levels.ts'
import type { Graded } from '../grade.types.ts'
import { isExempt } from './judged.ts'
import type { ExerciseScore } from './score.ts'

export type SkillState = 'shown' | 'missing' | 'not-graded'

export interface Scored {
  readonly graded: Graded
  readonly score: ExerciseScore
}

/** The state of every skill of the course over the exercises that were graded, in the matrix's order. */
export function skillStates(all: readonly Scored[]): Record<string, SkillState> {
  return Object.fromEntries([...skills.keys()].map((skill) => [skill, stateOf(skill, all)]))
}

/** The highest level whose skills, and all below, are shown. */
export function courseLevels(states: Readonly<Record<string, SkillState>>): Record<Course, Level | 'none'> {
  const reached = courses.map((course) => [course, courseLevel(course, states)])
  return Object.fromEntries(reached) as Record<Course, Level | 'none'>
}

/** A skill is shown when every check tagged with it passes. */
function stateOf(skill: string, all: readonly Scored[]): SkillState {
  const seen = all.flatMap(({ graded, score }) => verdictsOn(skill, graded, score))
  if (seen.includes('fail')) return 'missing'
  if (seen.includes('unknown') || !seen.includes('pass')) return 'not-graded'
  return 'shown'
}

function verdictsOn(skill: string, graded: Graded, score: ExerciseScore): ('pass' | 'fail' | 'unknown')[] {
  if (score.checks.length === 0) {
    const nothing = graded.state === 'not-graded' ? 'unknown' : 'fail'
    return isTagged(graded.exercise, skill) ? [nothing] : []
  }
  return score.checks
    .filter(({ check, outcome }) => check.skills.includes(skill) && !isExempt(outcome))
    .map(({ outcome: { verdict } }) => (verdict === 'inconclusive' ? 'unknown' : verdict === 'pass' ? 'pass' : 'fail'))
}

function isTagged(exercise: Exercise, skill: string): boolean {
  return exercise.checks.some((check) => check.skills.includes(skill))
}

function courseLevel(course: Course, states: Readonly<Record<string, SkillState>>): Level | 'none' {
  let reached: Level | 'none' = 'none'
  for (const level of levels) {
    const cells = [...skills].filter(([, cell]) => cell.course === course && cell.level === level)
    if (!cells.every(([skill]) => states[skill] === 'shown')) break
    reached = level
  }
  return reached
}

/** `docs/tutorials.md` says what popular code gets: the marks in it follow from what the mutants declare, and stay so. */
import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { kitFolder, listExercises, type Exercise } from '#catalog/exercise.ts'
import { score } from '#scoring/score.ts'
import { knownPrograms } from './material.ts'

const tutorials = listExercises().flatMap((exercise) => {
  const known = knownPrograms(exercise).programs.find(({ name }) => name.endsWith('mutants/tutorial.ts'))
  return known ? [{ exercise, ...marksOf(exercise, known.fails) }] : []
})

test('the table is what the graders give', () => {
  const page = fs.readFileSync(path.join(kitFolder, 'docs', 'tutorials.md'), 'utf8')
  const rows = [...page.matchAll(/^\| (\d+) · [^|]* \|[^|]*\| (\w+) \| ([\d.]+) \|$/gm)].map(([, number, level, points]) => `${number}: ${level}, ${points}`)
  expect(rows).toEqual(tutorials.map(({ exercise, level, points }) => `${exercise.number}: ${level}, ${points}`))
})

test('no tutorial reaches Advanced', () => {
  expect(tutorials.filter(({ level }) => level === 'advanced')).toEqual([])
})

function marksOf(exercise: Exercise, fails: readonly string[]): { level: string; points: number | null } {
  const outcomes = exercise.checks.map(({ id }) => ({
    id, verdict: fails.includes(id) ? 'fail' as const : 'pass' as const, message: null, evidence: null, blockedBy: null, durationMs: 0,
  }))
  const { level, score: points } = score(exercise, { state: 'graded', outcomes })
  return { level, points }
}

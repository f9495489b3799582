import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Exercise } from '#catalog/exercise.ts'
import type { Outcome } from '#scoring/outcome.ts'
import type { Graded } from '../grade.types.ts'
import { changedVerdicts } from './judge.ts'
import { openJournal } from './journal.ts'

const exercise = { slug: '06-x' } as Exercise
const outcome = (id: string, verdict: Outcome['verdict']): Outcome =>
  ({ id, verdict, message: verdict === 'fail' ? { en: 'no', vi: 'không' } : null, evidence: null, blockedBy: null, durationMs: 0 })
const graded: Graded = {
  exercise, state: 'graded', message: null, outcomes: [outcome('a', 'pass'), outcome('b', 'fail')], durationMs: 3,
  services: { redis: null, kafka: null }, isolation: 'bubblewrap',
}

function place(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'journal-'))
  onTestFinished(() => fs.rmSync(folder, { recursive: true }))
  return path.join(folder, 'journal')
}

test('what was graded is found again, round by round', () => {
  const file = place()
  openJournal(file, new Set(['x'])).keep(2, 'x', graded)
  const again = openJournal(file, new Set(['x', 'y']))
  expect(again.find(2, 'x', exercise)).toMatchObject(graded)
  expect(changedVerdicts(graded, again.find(2, 'x', exercise)!)).toEqual([])
  expect(again.find(1, 'x', exercise)).toBeNull()
  expect(again.find(2, 'y', exercise)).toBeNull()
})

test('what has changed is forgotten, and nothing else is', () => {
  const file = place()
  const journal = openJournal(file, new Set(['x', 'y']))
  for (const key of ['x', 'y']) journal.keep(1, key, graded)
  const changed = openJournal(file, new Set(['x', 'y changed']))
  expect(['x', 'y', 'y changed'].map((key) => changed.find(1, key, exercise) !== null)).toEqual([true, false, false])
})

test('a line that was cut off is forgotten, and nothing behind it is', () => {
  const file = place()
  const keys = new Set(['x', 'y', 'z'])
  for (const key of ['x', 'y']) openJournal(file, keys).keep(1, key, graded)
  fs.truncateSync(file, fs.statSync(file).size - 20)
  const torn = openJournal(file, keys)
  expect(torn.find(1, 'y', exercise)).toBeNull()
  torn.keep(1, 'z', graded)
  const again = openJournal(file, keys)
  for (const key of ['x', 'z']) expect(again.find(1, key, exercise)).not.toBeNull()
})

test('one that is done with leaves nothing behind', () => {
  const file = place()
  const journal = openJournal(file, new Set(['x']))
  journal.keep(1, 'x', graded)
  journal.remove()
  expect(fs.existsSync(file)).toBe(false)
})

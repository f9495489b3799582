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
  openJournal(file, 'key').keep(2, 'x.ts', graded)
  const again = openJournal(file, 'key')
  expect(again.find(2, 'x.ts', exercise)).toMatchObject(graded)
  expect(changedVerdicts(graded, again.find(2, 'x.ts', exercise)!)).toEqual([])
  expect(again.find(1, 'x.ts', exercise)).toBeNull()
  expect(again.find(2, 'y.ts', exercise)).toBeNull()
})

test('other programs or checks begin anew', () => {
  const file = place()
  openJournal(file, 'key').keep(1, 'x.ts', graded)
  expect(openJournal(file, 'another').find(1, 'x.ts', exercise)).toBeNull()
  expect(openJournal(file, 'key').find(1, 'x.ts', exercise)).toBeNull()
})

test('a line that was cut off is forgotten, and nothing behind it is', () => {
  const file = place()
  openJournal(file, 'key').keep(1, 'x.ts', graded)
  openJournal(file, 'key').keep(1, 'y.ts', graded)
  fs.truncateSync(file, fs.statSync(file).size - 20)
  const torn = openJournal(file, 'key')
  expect(torn.find(1, 'y.ts', exercise)).toBeNull()
  torn.keep(1, 'z.ts', graded)
  const again = openJournal(file, 'key')
  for (const name of ['x.ts', 'z.ts']) expect(again.find(1, name, exercise)).not.toBeNull()
})

test('one that is done with leaves nothing behind', () => {
  const file = place()
  const journal = openJournal(file, 'key')
  journal.keep(1, 'x.ts', graded)
  journal.remove()
  expect(fs.existsSync(file)).toBe(false)
})

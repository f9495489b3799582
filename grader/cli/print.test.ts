import { expect, test } from 'vitest'
import { buildReport } from '#report/build.ts'
import { samples } from '../../fixtures/golden/samples.ts'
import { exitCodeOf } from './print.ts'

test.each([
  ['perfect', 0],
  ['interleaving', 1],
  ['untouched', 1],
  ['broken', 1],
  ['not-graded', 3],
])('%s ends with exit code %i', (name, expected) => {
  expect(exitCodeOf([buildReport([samples.perfect!, samples[name]!], 'en')])).toBe(expected)
})

test('a check that cannot apply is no failure, a blocked one is', () => {
  const { perfect } = samples
  const skippedBy = (blockedBy: string | null) => {
    const [first, ...rest] = perfect!.outcomes
    return buildReport([{ ...perfect!, outcomes: [...rest, { ...first!, verdict: 'skipped', blockedBy }] }], 'en')
  }
  expect(exitCodeOf([skippedBy(null)])).toBe(0)
  expect(exitCodeOf([skippedBy('limit-holds')])).toBe(1)
})

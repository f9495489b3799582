import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Exercise } from '#catalog/exercise.ts'
import { nextHint } from './hints.ts'

const exercise = {
  slug: '06-limiter',
  number: 6,
  hints: ['a', 'b', 'c'].map((letter) => ({ en: `hint ${letter}`, vi: `gợi ý ${letter}` })),
} as unknown as Exercise

test('hints come one at a time, and stay', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'hints-')), '.kit', 'hints.json')
  const shown = () => nextHint(exercise, 'en', file)
  expect(shown()).toBe('\nHint 1 of 3\nhint a\n\nThe next one: npm run exercise 6 -- --hint\n')
  expect(shown()).toContain('hint a\n\nHint 2 of 3\nhint b')
  expect(shown()).toContain('hint c\n\nThat was the last hint.')
  expect(shown()).toContain('hint c\n\nThat was the last hint.')
  expect(nextHint({ ...exercise, slug: '07-other' }, 'vi', file)).toContain('Gợi ý 1/3\ngợi ý a\n')
})

test('a damaged memory begins again', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'hints-')), 'hints.json')
  writeFileSync(file, '{"06-limiter": "many"')
  expect(nextHint(exercise, 'en', file)).toContain('Hint 1 of 3')
})

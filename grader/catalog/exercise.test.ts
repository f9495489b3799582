import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { staticChecks } from '#static/findings.ts'
import { CommandError } from './command-error.ts'
import { findExercise, listExercises } from './exercise.ts'

test('an exercise is found by number, slug, topic, or a unique beginning', () => {
  const kit = kitWith({ '01-view-counter': rubric(), '06-sliding-window-limiter': rubric(), '10-view-cache': rubric() })
  for (const name of ['6', '06', '06-sliding-window-limiter', 'sliding-window-limiter', '06-s', 'slid', 'SLID']) {
    expect(findExercise(name, kit).slug, name).toBe('06-sliding-window-limiter')
  }
  expect(listExercises(kit).map(({ number }) => number)).toEqual([1, 6, 10])
})

test('a typo gets the nearest name, in both languages', () => {
  const kit = kitWith({ '01-view-counter': rubric(), '06-sliding-window': rubric() })
  expect(failure(() => findExercise('slidng-window', kit)).text).toEqual({
    en: 'There is no exercise "slidng-window". Did you mean 06-sliding-window?\nTry: npm run exercise 6',
    vi: 'Không có bài tập "slidng-window". Có phải ý bạn là 06-sliding-window?\nThử: npm run exercise 6',
  })
})

test('what fits several, or nothing, lists what there is', () => {
  const kit = kitWith({ '01-view-counter': rubric(), '10-view-cache': rubric() })
  expect(failure(() => findExercise('view', kit)).message).toContain('npm run exercise 10   10-view-cache')
  expect(failure(() => findExercise('7', kit)).message).toContain('  01-view-counter\n  10-view-cache')
})

test('own checks come before the common ones, which reach no level', () => {
  const { checks, solutionDir, hints } = findExercise('6', kitWith({ '06-limiter': rubric() }))
  expect(checks.map(({ id, level, common }) => [id, level, common])).toEqual([
    ['burst-admits-limit', 'intermediate', false],
    ['doc-comments', null, true],
  ])
  expect(solutionDir).toBeNull()
  expect(hints).toEqual([])
})

test.each([
  ['level: intermediate', 'level: intermediat', 'check burst-admits-limit, field level: expected one of'],
  ['weight: 6', 'weight: -6', 'check burst-admits-limit, field weight: '],
  ['weight: 6', 'wieght: 6', 'check burst-admits-limit, field weight: is missing (number)'],
  ['weight: 6', 'wieght: 6', 'check burst-admits-limit, field wieght: is not known'],
  ['redis/rate-limiting', 'redis/rate-limting', 'field skills.0: is no skill of the course; did you mean redis/rate-'],
  ['id: burst-admits-limit', 'id: Burst', 'check Burst, field id: must be lower-case words joined by hyphens'],
  ['id: burst-admits-limit', 'id: doc-comments', 'check doc-comments: the common rubric has a check of that id'],
  ['{ en: Limiter, vi: Bộ giới hạn }', '{ en: Limiter }', 'field title.vi: is missing (string)'],
  ['services: [redis]', 'services: [redis', 'exercises/06-limiter/rubric.yaml needs a correction'],
])('a rubric with %s → %s is refused with a message, not a stack', (from, to, message) => {
  const kit = kitWith({ '06-limiter': rubric().replace(from, to) })
  const { text } = failure(() => findExercise('6', kit))
  expect(text.en).toContain(message)
  expect(text.en).toContain('exercises/06-limiter/rubric.yaml')
  expect(text.vi).toContain('exercises/06-limiter/rubric.yaml')
  expect(text.en).not.toContain('    at ')
})

test('a wrong rubric does not stand in the way of the other exercises', () => {
  const kit = kitWith({ '01-view-counter': 'title: 3', '06-limiter': rubric() })
  expect(findExercise('6', kit).number).toBe(6)
})

test('a frequent mistake belongs to a check that exists', () => {
  const kit = kitWith({ '06-limiter': rubric() })
  const hint = '{ en: a, vi: b }'
  const write = (check: string) =>
    writeFileSync(
      join(kit, 'exercises/06-limiter/hints.yaml'),
      `hints: [${hint}, ${hint}, ${hint}]\nmistakes: [{ check: ${check}, hint: ${hint} }]`,
    )
  write('burst-admits-limit')
  expect(findExercise('6', kit).mistakes.get('burst-admits-limit')).toEqual({ en: 'a', vi: 'b' })
  write('burst-admits')
  expect(failure(() => findExercise('6', kit)).message).toContain('mistake burst-admits')
})

test("the kit's own exercises are valid, and have every check that the text of a file decides", () => {
  for (const { slug, checks } of listExercises()) {
    const common = checks.filter((check) => check.common)
    expect(common.map(({ id }) => id), slug).toEqual(expect.arrayContaining([...staticChecks]))
    expect(common.every(({ level, skills }) => level === null && skills.length === 0), slug).toBe(true)
  }
})

function kitWith(rubrics: Readonly<Record<string, string>>): string {
  const kit = mkdtempSync(join(tmpdir(), 'kit-'))
  for (const [slug, text] of Object.entries(rubrics)) {
    mkdirSync(join(kit, 'exercises', slug), { recursive: true })
    writeFileSync(join(kit, 'exercises', slug, 'rubric.yaml'), text)
  }
  writeFileSync(
    join(kit, 'exercises', 'common.rubric.yaml'),
    'checks: [{ id: doc-comments, title: { en: a, vi: b }, criterion: documentation, weight: 10 }]',
  )
  return kit
}

function rubric(): string {
  return `
title: { en: Limiter, vi: Bộ giới hạn }
services: [redis]
exports: { RateLimiter: class }
checks:
  - id: burst-admits-limit
    title: { en: The limit holds, vi: Giữ đúng hạn mức }
    level: intermediate
    criterion: functionality
    skills: [redis/rate-limiting]
    weight: 6
`
}

function failure(action: () => unknown): CommandError {
  try {
    action()
  } catch (error) {
    if (error instanceof CommandError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

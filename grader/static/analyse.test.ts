import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import type { Exercise } from '#catalog/exercise.ts'
import { kitFolder } from '#catalog/exercise.ts'
import { readSubmission } from '#catalog/submission.ts'
import { analyse, readAhead } from './analyse.ts'
import { cached, remember } from './cache.ts'
import { staticChecks } from './findings.ts'

const fixtures = join(kitFolder, 'fixtures', 'static')

const checks = staticChecks.map((id) => ({ id, common: true }))
const exercise = { slug: '06', exports: {}, checks } as unknown as Exercise

beforeEach(() => {
  vi.stubEnv('XDG_CACHE_HOME', mkdtempSync(join(tmpdir(), 'cache-')))
})

test.concurrent.each([
  ['tidy.ts', {}],
  ['modern.ts', {}],
  ['floating-promise.ts', { 'no-floating-promises': ['5:3', '6:26'] }],
  ['forgotten-doc.ts', { 'doc-comments': ['9:1', '14:1', '16:1'] }],
  ['type-error.ts', { 'strict-types': ['3:9'] }],
  ['any-type.ts', { 'no-any': ['2:29'] }],
  ['unused-code.ts', { 'no-unused-code': ['1:10', '6:11', '7:3', '9:32', '13:11'] }],
  [
    'silenced.ts',
    {
      'no-any': ['1:1', '2:1', '6:3', '8:3'],
      'strict-types': ['9:9'],
      'no-unused-code': ['5:9'],
      'no-floating-promises': ['7:3'],
    },
  ],
  ['neighbours', { 'no-any': ['3:20'] }],
])('%s fails what it shows, and nothing else', async (name, expected) => {
  const { outcomes } = analyse(await readSubmission(name, exercise, fixtures), exercise)
  const failed = (await outcomes).filter(({ verdict }) => verdict === 'fail')
  const places = failed.map(({ id, evidence }) => {
    return [id, evidence!.diagnostics.map(({ line, column }) => `${line}:${column}`)]
  })
  expect(Object.fromEntries(places)).toEqual(expected)
  for (const { message, evidence } of failed) {
    expect(message!.en).toContain(`${evidence!.diagnostics[0]!.line}:`)
    expect(JSON.stringify(evidence)).not.toContain(tmpdir())
  }
})

test('a class that names itself keeps its name in the bundle', async () => {
  const bundle = await analyse(await readSubmission('modern.ts', exercise, fixtures), exercise).bundle
  if (bundle.state !== 'bundled') throw new Error(bundle.message.en)
  const { NoWord } = (await import(`data:text/javascript,${encodeURIComponent(bundle.code)}`)) as { NoWord: new () => Error }
  expect([NoWord.name, new NoWord().name]).toEqual(['NoWord', 'NoWord'])
})

test('the bundle runs without its neighbours and points back at the source', async () => {
  const bundle = await analyse(await readSubmission('neighbours', exercise, fixtures), exercise).bundle
  if (bundle.state !== 'bundled') throw new Error(bundle.message.en)
  const url = `data:text/javascript,${encodeURIComponent(bundle.code)}`
  const loaded = (await import(url)) as { double(options: object): number }
  expect(loaded.double({ value: 21 })).toBe(42)
  expect(bundle.exports.toSorted()).toEqual(['documented', 'double'])
  expect(JSON.parse(bundle.map)).toMatchObject({ sources: ['arithmetic.ts', 'exercise.ts'] })
  expect(bundle.map).not.toContain('sourcesContent')
})

test('a syntax error breaks the submission, shown as a compiler shows it', async () => {
  const { bundle, outcomes } = analyse(await readSubmission('syntax-error.ts', exercise, fixtures), exercise)
  expect(await bundle).toMatchObject({
    state: 'broken',
    message: {
      en: `syntax-error.ts cannot be run as it is:
  syntax-error.ts:3:29: Expected identifier but found "="
      const réponse = 42; const = 3
                                ^`,
    },
  })
  expect(await outcomes).toEqual([])
})

test('only built-ins, the two clients and the own folder can be imported', async () => {
  const bundle = await analyse(await readSubmission('foreign-import.ts', exercise, fixtures), exercise).bundle
  if (bundle.state !== 'broken') throw new Error('it was bundled')
  expect(bundle.diagnostics.map(({ line, message }) => [line, message])).toEqual([
    [1, '"zod" cannot be imported: only node: built-ins, ioredis, kafkajs and files of the same folder'],
    [2, '"../golden/report.json" is outside the folder of the submission'],
  ])
})

test('a missing export breaks the submission and names it', async () => {
  const asked = { ...exercise, exports: { RateLimiter: 'class', answer: 'function' } } as Exercise
  const bundle = await analyse(await readSubmission('type-error.ts', asked, fixtures), asked).bundle
  expect(bundle).toMatchObject({
    state: 'broken',
    message: { en: 'type-error.ts does not export RateLimiter. Export it under exactly this name.' },
  })
})

test.each([
  ['stub.ts', true],
  ['begun-stub.ts', false],
  ['tidy.ts', false],
])('%s is untouched: %s', async (name, expected) => {
  expect(await analyse(await readSubmission(name, exercise, fixtures), exercise).untouched).toBe(expected)
})

test.each([
  ['arrays', (depth: number) => `export const x = ${'['.repeat(depth)}${']'.repeat(depth)}`],
  ['types', (depth: number) => `export type X = ${'['.repeat(depth)}1${']'.repeat(depth)}`],
  ['sums', (depth: number) => `export const x = ${'1+'.repeat(depth)}1`],
])('%s nested thousands deep cost code quality, and the next submission nothing', async (_, nest) => {
  const folder = mkdtempSync(join(tmpdir(), 'nested-'))
  writeFileSync(join(folder, 'nested.ts'), nest(30_000))
  const { bundle, outcomes } = analyse(await readSubmission('nested.ts', exercise, folder), exercise)
  expect((await bundle).state).toBe('bundled')
  expect(new Set((await outcomes).map(({ verdict }) => verdict))).toEqual(new Set(['fail']))
  const next = await analyse(await readSubmission('tidy.ts', exercise, fixtures), exercise).outcomes
  expect(next.every(({ verdict }) => verdict === 'pass')).toBe(true)
}, 20_000)

test('a type puzzle is given up on, and says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'puzzle-'))
  writeFileSync(join(folder, 'puzzle.ts'), puzzle)
  const { bundle, outcomes } = analyse(await readSubmission('puzzle.ts', exercise, folder), exercise)
  expect((await bundle).state).toBe('bundled')
  const [first] = await outcomes
  expect(first).toMatchObject({ verdict: 'fail', message: { en: expect.stringContaining('gave up on this file') } })
}, 30_000)

test('what was concluded once is known at once the next time', async () => {
  const submission = await readSubmission('floating-promise.ts', exercise, fixtures)
  const first = await analyse(submission, exercise).outcomes
  // It is kept when the worker has ended, just after its last word.
  const conclusion = await vi.waitFor(() => {
    const kept = cached(submission)
    if (!kept) throw new Error('nothing was kept')
    return kept
  })
  expect(conclusion).toMatchObject({ bundle: { state: 'bundled' }, untouched: false })
  const again = await analyse(submission, exercise).outcomes
  expect(again).toEqual(first.map((outcome) => ({ ...outcome, durationMs: expect.any(Number) })))
})

test('another file, or the same under another name, is read anew', async () => {
  const submission = await readSubmission('tidy.ts', exercise, fixtures)
  remember(submission, { bundle: { state: 'broken', diagnostics: [] }, untouched: false, findings: null })
  expect(cached(submission)).not.toBeNull()
  expect(cached({ ...submission, entry: 'other.ts' })).toBeNull()
  expect(cached({ ...submission, files: new Map([['tidy.ts', '// changed']]) })).toBeNull()
})

/** Forty million orders of eleven letters: small to write, more than a compiler has memory for. */
const puzzle = `
type Orders<T, K = T> = [T] extends [never] ? [] : K extends K ? [K, ...Orders<Exclude<T, K>>] : never
type Eleven = Orders<'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k'>
export const one: Orders<'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j'> = null as never as Eleven
`

test('many that are read ahead are concluded as each is alone', async () => {
  const names = ['tidy.ts', 'silenced.ts', 'syntax-error.ts', 'neighbours', 'type-error.ts', 'foreign-import.ts', 'any-type.ts']
  const submissions = await Promise.all(names.map((name) => readSubmission(name, exercise, fixtures)))
  await readAhead(submissions)
  const together = submissions.map(cached)
  expect(together).not.toContain(null)

  vi.stubEnv('XDG_CACHE_HOME', mkdtempSync(join(tmpdir(), 'cache-')))
  for (const submission of submissions) await analyse(submission, exercise).outcomes
  expect(submissions.map(cached)).toEqual(together)
})

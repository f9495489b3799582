import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Exercise } from './exercise.ts'
import { holdsExercises, readSubmission, SubmissionError } from './submission.ts'

const exercise = { slug: '06-limiter' } as Exercise

test.each([
  ['a file', 'own/answer.ts', 'own/answer.ts'],
  ['a folder with exercise.ts', 'own/exercise.ts', 'own'],
  ['a folder laid out like exercises/', 'own/06-limiter/exercise.ts', 'own'],
])('%s is a submission', async (_, file, path) => {
  const folder = folderWith({ [file]: 'export const a = 1' })
  const submission = await readSubmission(path, exercise, folder)
  expect(submission.path).toBe(path)
  expect(submission.files.get(submission.entry)).toBe('export const a = 1')
})

test('neighbours come along when they are imported, and only then', async () => {
  const folder = folderWith({
    'exercise.ts': `
      import { a } from './a.js'
      export * from "./deep"
      import data from './data.json'
      import x from '../out.ts'`,
    'a.ts': `import('./lazy.ts')`,
    'lazy.ts': '',
    'deep/index.ts': `import '../a.ts'`,
    'data.json': '{}',
    'unrelated.ts': '',
    'node_modules/zod/index.ts': '',
  })
  const { files } = await readSubmission('.', exercise, folder)
  expect([...files.keys()].sort()).toEqual(['a.ts', 'data.json', 'deep/index.ts', 'exercise.ts', 'lazy.ts'])
})

test('a missing path is told apart from a bad file', async () => {
  const folder = folderWith({ 'readme.md': '' })
  await expect(readSubmission('nowhere', exercise, folder)).rejects.toMatchObject({
    missing: true,
    text: { en: 'There is nothing at nowhere.', vi: 'Không có gì ở nowhere.' },
  })
  await expect(readSubmission('.', exercise, folder)).rejects.toMatchObject({
    missing: true,
    message: '. holds neither exercise.ts nor 06-limiter/exercise.ts.',
  })
})

test('what is too big, no text, or no file is refused in words', async () => {
  const folder = folderWith({
    'big.ts': `// ${'x'.repeat(1_000_001)}`,
    'many.ts': Array.from({ length: 101 }, (_, i) => `import './n${i}.ts'`).join('\n'),
    ...Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`n${i}.ts`, ''])),
  })
  writeFileSync(join(folder, 'latin.ts'), Buffer.from([0x27, 0xe9, 0x27]))
  for (const [name, message] of Object.entries({
    'big.ts': 'too big',
    'many.ts': 'too big',
    'latin.ts': 'not UTF-8',
    '/dev/null': 'not a regular file',
  })) {
    const refusal = readSubmission(name, exercise, folder)
    await expect(refusal, name).rejects.toThrow(message)
    await expect(refusal, name).rejects.toBeInstanceOf(SubmissionError)
  }
})

test('a link that leaves the folder is refused, also as a neighbour', async () => {
  const folder = folderWith({ 'secret.ts': 'export const answer = 42', 'own/neighbour.ts': `import './link.ts'` })
  symlinkSync(join(folder, 'secret.ts'), join(folder, 'own', 'exercise.ts'))
  symlinkSync(join(folder, 'secret.ts'), join(folder, 'own', 'link.ts'))
  await expect(readSubmission('own', exercise, folder)).rejects.toThrow('exercise.ts is a link that leaves')
  await expect(readSubmission('own/neighbour.ts', exercise, folder)).rejects.toThrow('link.ts is a link that leaves')
})

test('only a folder without exercise.ts may hold several exercises', () => {
  const folder = folderWith({ 'one/exercise.ts': '', 'all/06-limiter/exercise.ts': '' })
  expect(holdsExercises('all', folder)).toBe(true)
  expect(holdsExercises('one', folder)).toBe(false)
  expect(holdsExercises('one/exercise.ts', folder)).toBe(false)
})

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'submission-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

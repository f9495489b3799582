import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Exercise } from '#catalog/exercise.ts'
import type { Submission } from '#catalog/submission.ts'
import { keysOf } from './journals.ts'

const program = (text: string): Submission => ({ path: 'x.ts', root: '/', entry: 'x.ts', files: new Map([['x.ts', text]]) })

test('a key changes with all that a verdict comes from', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'journals-'))
  onTestFinished(() => fs.rmSync(folder, { recursive: true }))
  fs.mkdirSync(path.join(folder, 'checks'))
  const [check, rubric] = [path.join(folder, 'checks', 'beginner.ts'), path.join(folder, 'rubric.yaml')]
  for (const file of [check, rubric]) fs.writeFileSync(file, 'as it was')
  const exercise = { dir: folder, solutionDir: folder } as Exercise
  const key = (text = 'text', fails = ['a'], busy = true): string => keysOf(exercise, [busy])(program(text), fails)

  const before = key()
  expect(key()).toBe(before)
  const others = [key('another text'), key('text', ['a', 'b']), key('text', ['a'], false)]
  for (const file of [check, rubric]) {
    fs.writeFileSync(file, 'changed')
    others.push(key())
    fs.writeFileSync(file, 'as it was')
  }
  expect(new Set([before, ...others]).size).toBe(6)
  expect(key()).toBe(before)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { kitFolder, listExercises, type Exercise } from '#catalog/exercise.ts'
import { restore, swap, swapState } from './swap.ts'

let root: string
let exercises: Exercise[]
const own = (exercise: Exercise): string => path.join(exercise.dir, 'exercise.ts')
/** Bytes that no editor would leave alone. */
const work = (exercise: Exercise): Buffer => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf, 0, 0xff]), Buffer.from(`// ${exercise.slug}\r\nmine`)])

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'swap-'))
  for (const folder of ['exercises', 'solutions']) fs.cpSync(path.join(kitFolder, folder), path.join(root, folder), { recursive: true })
  exercises = listExercises(root)
  for (const exercise of exercises) fs.writeFileSync(own(exercise), work(exercise))
})
afterEach(() => fs.rmSync(root, { recursive: true }))

test('there and back, byte for byte', () => {
  const [exercise] = exercises as [Exercise]
  expect(swap(exercise, root).outcome).toBe('swapped')
  expect(fs.readFileSync(own(exercise))).toEqual(fs.readFileSync(path.join(exercise.solutionDir!, 'solution.ts')))
  expect([swapState(exercise, root), swap(exercise, root).outcome]).toEqual(['swapped', 'already'])
  expect(restore(exercise, root)).toMatchObject({ outcome: 'restored', kept: null })
  expect(fs.readFileSync(own(exercise))).toEqual(work(exercise))
  expect([swapState(exercise, root), restore(exercise, root).outcome]).toEqual(['own', 'nothing'])
})

test('what was edited after the swap is kept too', () => {
  const [exercise] = exercises as [Exercise]
  swap(exercise, root)
  fs.appendFileSync(own(exercise), '// edited')
  const edited = fs.readFileSync(own(exercise))
  expect([swapState(exercise, root), swap(exercise, root).outcome]).toEqual(['edited', 'edited'])
  const { kept } = restore(exercise, root)
  expect(fs.readFileSync(kept!)).toEqual(edited)
  expect(fs.readFileSync(own(exercise))).toEqual(work(exercise))
})

test('a file deleted after the swap comes back', () => {
  const [exercise] = exercises as [Exercise]
  swap(exercise, root)
  fs.rmSync(own(exercise))
  restore(exercise, root)
  expect(fs.readFileSync(own(exercise))).toEqual(work(exercise))
})

test('killed at 20 random moments, nothing is lost', async () => {
  for (let round = 0; round < 20; round++) {
    const program = spawn(process.execPath, [path.join(kitFolder, 'fixtures/programs/swap-for-ever.ts'), root], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(program.stdout, 'data')
    // Any moment will do: what is waited for here is chance.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
    program.kill('SIGKILL')
    await once(program, 'exit')
    for (const exercise of exercises) {
      restore(exercise, root)
      expect(fs.readFileSync(own(exercise)), `round ${round}, ${exercise.slug}`).toEqual(work(exercise))
    }
  }
})

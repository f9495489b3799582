import fs from 'node:fs'
import path from 'node:path'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { findExercise } from '#catalog/exercise.ts'
import { readSubmission } from '#catalog/submission.ts'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { runtimeDir } from '#services/place.ts'
import type { Graded, Grader } from '../grade.types.ts'
import { endResident, openResident } from './call.ts'

withOwnKeeper({ KIT_SERVICES: 'processes' })
afterEach(endResident)

const six = findExercise('6')
const grade = async (grader: Grader, file: string, onOutcome?: () => void): Promise<Graded> =>
  grader.grade(six, await readSubmission(file, six), { onEvent: ({ type }) => { if (type === 'outcome') onOutcome?.() } })
const stub = path.join(six.dir, 'exercise.ts')
const solution = path.join(six.solutionDir!, 'solution.ts')

const open = async (): Promise<Grader> => {
  const grader = await openResident()
  onTestFinished(() => grader.close())
  return grader
}

test('the next command finds the same one', async () => {
  await (await openResident()).close()
  const [first] = residents()
  const grader = await open()
  expect((await grade(grader, stub)).state).toBe('untouched')
  expect(residents()).toEqual([first])
})

test('while one command is served, another grades by itself', async () => {
  const [one, other] = [await open(), await open()]
  expect((await Promise.all([grade(one, stub), grade(other, stub)])).map(({ state }) => state)).toEqual(['untouched', 'untouched'])
  expect(residents()).toHaveLength(1)
})

test('another environment gets another one', async () => {
  await (await openResident()).close()
  const before = residents()
  process.env.KIT_REDIS_IMAGE = 'another'
  onTestFinished(() => { delete process.env.KIT_REDIS_IMAGE })
  await open()
  await expect.poll(residents).toHaveLength(1)
  expect(residents()).not.toEqual(before)
})

test('killed in the middle, it loses nobody a mark', async () => {
  const grader = await open()
  let killed = 0
  const graded = await grade(grader, solution, () => { if (killed++ === 0) process.kill(residents()[0]!, 'SIGKILL') })
  expect([killed > 0, graded.state, graded.outcomes.every(({ verdict }) => verdict === 'pass')]).toEqual([true, 'graded', true])
})

test('one that does not answer holds no command up', async () => {
  await (await openResident()).close()
  const [stopped] = residents()
  process.kill(stopped!, 'SIGSTOP')
  try {
    expect((await grade(await open(), stub)).state).toBe('untouched')
  } finally {
    process.kill(stopped!, 'SIGCONT')
  }
})

test('a command that goes away in the middle takes it along', async () => {
  const grader = await openResident()
  const begun = Promise.withResolvers<void>()
  const graded = grade(grader, solution, () => begun.resolve())
  graded.catch(() => {})
  await begun.promise
  await grader.close()
  await expect.poll(residents, { timeout: 5000 }).toEqual([])
})

/** Process ids of the resident graders of this test's own folder. */
function residents(): number[] {
  return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('kit grader') && fs.readlinkSync(`/proc/${pid}/cwd`) === fs.realpathSync(runtimeDir())
    } catch {
      return false
    }
  }).map(Number)
}

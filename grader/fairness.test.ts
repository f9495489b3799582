/** What is not the learner's fault costs no learner a point: servers that die, disks that fill, machines that starve. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { findExercise } from '#catalog/exercise.ts'
import { readSubmission } from '#catalog/submission.ts'
import { openGrader, type OwnGrader } from '#grade'
import { score } from '#scoring/score.ts'
import { busyCores } from '#selfcheck/busy.ts'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { runtimeDir } from '#services/place.ts'
import { ServicesUnavailable } from '#services/services.ts'
import type { Graded, GradeEvent } from './grade.types.ts'

withOwnKeeper({ KIT_SERVICES: 'processes' })

let grader: OwnGrader
beforeAll(() => { grader = openGrader() })
afterAll(() => grader.close())

const gradeSolution = async (name: string, onEvent: (event: GradeEvent) => void): Promise<Graded> => {
  const exercise = findExercise(name)
  return grader.grade(exercise, await readSubmission(path.join(exercise.solutionDir!, 'solution.ts'), exercise), { onEvent })
}

describe.runIf(process.platform === 'linux').each([
  ['Redis', '6', /redis-server|valkey-server/],
  ['Kafka', '4', /kafka\.Kafka/],
])('%s killed', (_service, exercise, command) => {
  test('once, in the middle: the exercise is tried again and loses nothing', async () => {
    let killed = 0
    let retried = false
    const graded = await gradeSolution(exercise, ({ type }) => {
      if (type === 'outcome' && killed === 0) killed = killOwn(command)
      if (type === 'retrying') retried = true
    })
    expect([killed > 0, retried]).toEqual([true, true])
    expect([graded.state, score(graded.exercise, graded).score]).toEqual(['graded', 100])
  }, 120_000)

  test('once in each of two tries: the code is not blamed, a third one grades it', async () => {
    let killed = 0
    let retried = 0
    const graded = await gradeSolution(exercise, ({ type }) => {
      if (type === 'outcome' && killed === retried && killed < 2 && killOwn(command) > 0) killed++
      if (type === 'retrying') retried++
    })
    expect([killed, retried]).toEqual([2, 2])
    expect([graded.state, score(graded.exercise, graded).score]).toEqual(['graded', 100])
  }, 180_000)

  test('again and again: not graded, and no check failed', async () => {
    const killer = setInterval(() => killOwn(command), 150)
    onTestFinished(() => clearInterval(killer))
    const graded = await gradeSolution(exercise, () => {}).catch((error: unknown) => error)
    // Servers that do not live long enough to be leased are services that could not be had.
    if (graded instanceof ServicesUnavailable) return
    const { state, outcomes } = graded as Graded
    expect(state).toBe('not-graded')
    expect(outcomes.filter(({ verdict }) => verdict === 'fail')).toEqual([])
  }, 120_000)
})

test('code that takes Redis down every time is told so', async () => {
  const exercise = findExercise('6')
  const { state, message } = await grader.grade(exercise, await readSubmission('fixtures/hostile/endless-writing-script.ts', exercise))
  expect([state, message?.en]).toEqual(['broken', expect.stringContaining('three times')])
}, 300_000)

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mounts()
if (!canMount) console.warn('SKIPPED: no small disk can be mounted here, so a full one is not tested (needs root on Linux)')
test.runIf(process.env.CI)('a small disk can be mounted where it must be', () => expect(canMount).toBe(true))

test.runIf(canMount)('the broker’s disk is full: no check fails', async () => {
  const { down } = await import('#services/services.ts')
  await down()
  const disk = runtimeDir()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=220m,mode=700', 'tmpfs', disk])
  onTestFinished(async () => {
    await down()
    execFileSync('umount', ['-l', disk])
  })
  const graded = await gradeSolution('4', ({ type }) => {
    if (type === 'outcome' && !fs.existsSync(path.join(disk, 'full'))) fillUp(path.join(disk, 'full'))
  }).catch((error: unknown) => error)
  if (graded instanceof ServicesUnavailable) return
  expect((graded as Graded).outcomes.filter(({ verdict }) => verdict === 'fail')).toEqual([])
}, 120_000)

test('a machine that is kept busy by others fails no check', async () => {
  const loads = [busyCores(), busyCores(), busyCores()]
  onTestFinished(() => loads.forEach((end) => end()))
  for (const exercise of ['6', '4']) {
    const { outcomes } = await gradeSolution(exercise, () => {})
    expect(outcomes.filter(({ verdict }) => verdict === 'fail')).toEqual([])
  }
}, 240_000)

/** Kills the servers that this test's keeper has started; returns how many. */
function killOwn(command: RegExp): number {
  let killed = 0
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      const where = fs.readlinkSync(`/proc/${pid}/cwd`)
      if (!command.test(words) || !where.startsWith(fs.realpathSync(runtimeDir()))) continue
      process.kill(Number(pid), 'SIGKILL')
      killed++
    } catch {
      // Not ours to look at, or gone meanwhile.
    }
  }
  return killed
}

function fillUp(file: string): void {
  const block = Buffer.alloc(1 << 20)
  try {
    for (;;) fs.appendFileSync(file, block)
  } catch {
    // ENOSPC is what was wanted.
  }
}

function mounts(): boolean {
  const place = fs.mkdtempSync(path.join(runtimeDir(), 'disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place], { stdio: 'ignore' })
    execFileSync('umount', [place])
    return true
  } catch {
    return false
  } finally {
    fs.rmdirSync(place)
  }
}

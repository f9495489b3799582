import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { expect, test, vi } from 'vitest'
import { findExercise } from '#catalog/exercise.ts'
import { readSubmission } from '#catalog/submission.ts'
import { openGrader } from '#grade'
import { withOwnKeeper } from '#services/own-keeper.ts'

withOwnKeeper({ KIT_SERVICES: 'processes' })

const exercise = findExercise('6')
const solution = await readSubmission(path.join(exercise.solutionDir!, 'solution.ts'), exercise)

test('when the launcher is killed in the middle, a new thread grades again, and the next submission too', async () => {
  const grader = openGrader()
  try {
    let killed = 0
    let retried = 0
    const interrupted = await grader.grade(exercise, solution, {
      onEvent({ type }) {
        if (type === 'outcome' && killed === 0) killed = killLaunchers()
        if (type === 'retrying') retried++
      },
    })
    expect([killed, retried]).toEqual([1, 1])
    const next = await grader.grade(exercise, solution)
    for (const { state, outcomes } of [interrupted, next]) {
      expect(state).toBe('graded')
      expect(outcomes.filter(({ verdict }) => verdict !== 'pass')).toEqual([])
    }
  } finally {
    await grader.close()
  }
})

test('a launcher that cannot start is an error that says so, and the next one may start', async () => {
  vi.stubEnv('NODE_OPTIONS', '--no-such-option')
  const grader = openGrader()
  try {
    await expect(grader.grade(exercise, solution)).rejects.toThrow('the process that starts the hosts ended by itself')
    vi.unstubAllEnvs()
    expect((await grader.grade(exercise, solution)).state).toBe('graded')
  } finally {
    vi.unstubAllEnvs()
    await grader.close()
  }
})

/** Ends those of this process, and tells how many there were. */
function killLaunchers(): number {
  const pids = execFileSync('pgrep', ['-P', String(process.pid), '-f', 'redis-kafka-kit launcher'], { encoding: 'utf8' }).trim().split('\n')
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL')
  return pids.length
}

/**
 * The one file the runner runs: it imports the checks of the exercise at hand and those every exercise has.
 * A submission that cannot even be imported is told to `grade.ts` by a test of its own.
 */
import { afterAll, inject, test } from 'vitest'
import { closeKafka } from './kafka-world.ts'
import { registerChecks, theRun } from './check.ts'
import { HostEnded, LearnerError } from '#sandbox/host.ts'

const run = theRun()

afterAll(async () => {
  await Promise.all([run.close(), closeKafka()])
})

const problem = await importProblem()
if (problem) {
  test('import', ({ task }) => {
    task.meta.broken = problem
    throw new Error(problem.message)
  })
} else {
  for (const file of inject('files')) await import(file)
  const { checksOfTheWholeRun } = await import('./every-exercise.ts')
  registerChecks()
  checksOfTheWholeRun()
}

/** Imports the submission once; what it throws is the learner's, whatever else goes wrong is not. */
async function importProblem(): Promise<{ message: string; stack: string[] } | null> {
  try {
    await run.giveHost(await run.takeHost())
    return null
  } catch (error) {
    if (error instanceof LearnerError) return { message: error.message, stack: run.learnerFrames(error.facts.stack) }
    if (error instanceof HostEnded && error.reason !== 'exited') return { message: error.message, stack: [] }
    if (error instanceof HostEnded) return { message: `${error.message}. ${error.lastWords}`, stack: [] }
    throw error
  }
}

declare module 'vitest' {
  interface ProvidedContext { files: string[] }
  interface TaskMeta { broken?: { message: string; stack: string[] } }
}

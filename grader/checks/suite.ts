/**
 * What a run consists of: the checks of the exercise at hand and those every exercise has. A submission that cannot even
 * be imported is told to `grade.ts` by a test of its own.
 */
import path from 'node:path'
import { afterAll, inject, test } from 'vitest'
import { HostEnded, LearnerError } from '#sandbox/host.ts'
import { closeRun, registerChecks, theRun } from './check.ts'

/** Called by the file that the runner writes for each run, while that is collected. */
export async function registerSuite(): Promise<void> {
  afterAll(closeRun)
  const problem = await importProblem()
  if (problem) {
    test('import', ({ task }) => {
      task.meta.broken = problem
      throw new Error(problem.message)
    })
    return
  }
  // What needs a process that is new comes while some are.
  await registerChecks([path.join(import.meta.dirname, 'every-exercise.ts'), ...inject('files')])
  const { checksOfTheWholeRun } = await import('./every-exercise.ts')
  checksOfTheWholeRun()
}

/** Imports the submission once; what it throws is the learner's, whatever else goes wrong is not. */
async function importProblem(): Promise<{ message: string; stack: string[] } | null> {
  const run = theRun()
  try {
    await run.giveHost(await run.takeHost(), 'import')
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

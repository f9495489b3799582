import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Text } from '#catalog/text.ts'
import type { RunConfig } from '#checks/run.ts'
import type { Outcome } from '#scoring/outcome.ts'
import { keepThread } from './kept-thread.ts'

export interface Run {
  readonly outcomes: readonly Outcome[]
  /** Why the submission cannot be imported, or null. */
  readonly broken: Text | null
  /** False when it was interrupted: some checks have no outcome. */
  readonly isWhole: boolean
  /** What ended the thread of the checks, if it told. */
  readonly failure: Error | null
}

export interface Runner {
  run(files: readonly string[], config: RunConfig, onOutcome: (outcome: Outcome) => void): Promise<Run>
  /** Gets ready for the next run. */
  refill(): void
  /** False when the thread of the checks has ended by itself: it runs nothing any more. */
  alive(): boolean
  close(): Promise<void>
}

const suite = path.join(import.meta.dirname, '..', 'checks', 'suite.ts')

/** Vitest and one thread, kept for several runs one after the other. */
export async function openRunner(): Promise<Runner> {
  const thread = await keepThread()
  const { createVitest } = await import('vitest/node')
  let outcomes: Outcome[] = []
  let broken: Text | null = null
  let onOutcome: (outcome: Outcome) => void = () => {}
  let runs = 0
  const vitest = await createVitest('test', {
    config: false, root: path.join(import.meta.dirname, '..', '..'), watch: false,
    pool: thread.pool, isolate: false, fileParallelism: false, maxConcurrency: 8, silent: true,
    // Node runs the checks as they are: nothing to transform, nothing to mock.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    reporters: [{
      onTestCaseResult(test) {
        const { outcome, broken: problem } = test.meta()
        if (problem) broken = brokenBy(problem)
        if (!outcome) return
        outcomes.push(outcome)
        onOutcome(outcome)
      },
    }],
  })
  return {
    async run(files, config, listener) {
      outcomes = []
      broken = null
      onOutcome = listener
      vitest.provide('run', config)
      vitest.provide('files', [...files])
      // A file of its own for every run: the thread imports none twice.
      const file = path.join(thread.folder, `run-${++runs}.mjs`)
      fs.writeFileSync(file, `import { registerSuite } from ${JSON.stringify(pathToFileURL(suite).href)}\nawait registerSuite()\n`)
      const { testModules, unhandledErrors } = await vitest.runTestSpecifications([vitest.getRootProject().createSpecification(file)])
      fs.rmSync(file)
      const errors = [...unhandledErrors, ...testModules.flatMap((module) => [...module.errors()])]
      if (errors.length > 0 && outcomes.length === 0 && !broken && thread.alive()) {
        throw new Error(`the suite could not be run (${(errors[0] as Error).message})`, { cause: errors[0] })
      }
      return { outcomes, broken, isWhole: thread.alive(), failure: thread.failure() }
    },
    refill: thread.refill,
    alive: thread.alive,
    async close() {
      // In this order: Vitest takes leave of the thread first.
      await vitest.close()
      await thread.close()
    },
  }
}

function brokenBy({ message, stack }: { message: string; stack: string[] }): Text {
  const place = stack.length > 0 ? `\n  ${stack.join('\n  ')}` : ''
  return { en: `The file cannot be imported: ${message}${place}`, vi: `Không import được file: ${message}${place}` }
}

import path from 'node:path'
import type { Text } from '#catalog/text.ts'
import type { RunConfig } from '#checks/run.ts'
import type { Outcome } from '#scoring/outcome.ts'

export interface Runner {
  run(files: readonly string[], config: RunConfig, onOutcome: (outcome: Outcome) => void): Promise<{ outcomes: Outcome[]; broken: Text | null }>
  close(): Promise<void>
}

const suite = path.join(import.meta.dirname, 'checks', 'suite.ts')

/** Vitest, kept for several runs one after the other; every run has a thread of its own. */
export async function openRunner(): Promise<Runner> {
  const { createVitest } = await import('vitest/node')
  let outcomes: Outcome[] = []
  let broken: Text | null = null
  let onOutcome: (outcome: Outcome) => void = () => {}
  const vitest = await createVitest('test', {
    config: false, root: path.join(import.meta.dirname, '..'), watch: false, include: ['grader/checks/suite.ts'],
    pool: 'threads', isolate: false, fileParallelism: false, maxConcurrency: 6, silent: true,
    // Node runs the checks as they are: nothing to transform.
    experimental: { viteModuleRunner: false },
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
      const project = vitest.getRootProject()
      vitest.provide('run', config)
      vitest.provide('files', [...files])
      const { testModules, unhandledErrors } = await vitest.runTestSpecifications([project.createSpecification(suite)])
      const errors = [...unhandledErrors, ...testModules.flatMap((module) => [...module.errors()])]
      if (errors.length > 0 && outcomes.length === 0 && !broken) throw new Error('the suite could not be run', { cause: errors[0] })
      return { outcomes, broken }
    },
    close: () => vitest.close(),
  }
}

function brokenBy({ message, stack }: { message: string; stack: string[] }): Text {
  const place = stack.length > 0 ? `\n  ${stack.join('\n  ')}` : ''
  return { en: `The file cannot be imported: ${message}${place}`, vi: `Không import được file: ${message}${place}` }
}

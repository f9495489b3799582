import { defineConfig } from 'vitest/config'

/** The tests of the kit itself; the hidden suites of the exercises run in `grader/runner/`. */
export default defineConfig({
  test: {
    include: ['grader/**/*.test.ts'],
    globalSetup: 'fixtures/temporary.ts',
    // As the product runs: Node reads TypeScript by itself, and every module is there once.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    // Most of them start processes, on two cores that others use too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

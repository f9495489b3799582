import type { Text } from '#catalog/text.ts'
import type { Diagnostic } from '#scoring/outcome.ts'

/** The submission as one ES module, or why there is none. */
export type Bundle = Bundled | Broken

export interface Bundled {
  readonly state: 'bundled'
  /** ESM; imports only `node:` built-ins, `ioredis` and `kafkajs`. */
  readonly code: string
  /** Source map as JSON: sources are the learner's own file names, without their content. */
  readonly map: string
  /** The names it exports. */
  readonly exports: readonly string[]
}

export interface Broken {
  readonly state: 'broken'
  /** What is wrong, with the first places as a compiler shows them. */
  readonly message: Text
  readonly diagnostics: readonly Diagnostic[]
}

/** The common checks that the text of a file decides. */
export const staticChecks = [
  'strict-types',
  'no-any',
  'no-unused-code',
  'no-floating-promises',
  'doc-comments',
] as const

export type StaticCheck = (typeof staticChecks)[number]

/** What was found against each static check; nothing found is a pass. */
export type Findings = Readonly<Record<StaticCheck, readonly Diagnostic[]>>

/** What bundling concluded, before it is worded for people. */
export type BundleResult = Bundled | { readonly state: 'broken'; readonly diagnostics: readonly Diagnostic[] }

/** A submission as it lies in the workspace. */
export interface Laid {
  /** Relative to the workspace, with `/`. */
  readonly folder: string
  /** Relative to `folder`. */
  readonly entry: string
  /** Its TypeScript files, relative to `folder`. */
  readonly files: readonly string[]
}

/** What the worker tells of each submission, one JSON document a line, in this order. `of` counts the submissions from 0. */
export type WorkerMessage = { readonly of: number } & (
  | { readonly type: 'bundle'; readonly bundle: BundleResult }
  | { readonly type: 'untouched'; readonly untouched: boolean }
  | { readonly type: 'findings'; readonly findings: Findings }
)

/** The worker's exit code when a tool is missing or cannot be loaded. */
export const ourFault = 70

import type { Text } from '#catalog/text.ts'

/**
 * What one check concluded. `inconclusive` is the kit's own fault (a service,
 * the machine, the grader) and never costs anybody a point.
 */
export type Verdict = 'pass' | 'fail' | 'skipped' | 'inconclusive'

/** One line of a timeline: what one lane did at one moment. */
export interface Step {
  /** Index into `Evidence.lanes`. */
  readonly lane: number
  /** The learner's own command or frame, such as `ZCARD rate_limit:ann`. */
  readonly text: string
  /** What came back, already readable, or null when nothing was awaited. */
  readonly reply: string | null
  /** `cut`: the connection died here. `lost`: the reply was dropped. `held`: withheld by the grader. */
  readonly mark: 'cut' | 'lost' | 'held' | 'killed' | null
}

/** A message of the compiler or the linter, at a place in the learner's TypeScript. */
export interface Diagnostic {
  readonly file: string
  readonly line: number
  readonly column: number
  /** `TS2322`, `no-floating-promises`, … */
  readonly code: string
  readonly message: string
  /** The source line it points at, without its line break. */
  readonly source: string
}

/**
 * Why a check failed, as data: every report draws it in its own way.
 * All strings that come from the learner's process are bounded in length before they get here.
 */
export interface Evidence {
  readonly kind: 'values' | 'interleaving' | 'cut' | 'commands' | 'frames' | 'diagnostics' | 'error'
  /** What the check did, in a sentence. */
  readonly did: Text | null
  /** A value that reads the same in every language, or words for it. */
  readonly expected: string | Text | null
  readonly got: string | Text | null
  /** Column heads of the timeline; empty when there is none. */
  readonly lanes: readonly Text[]
  readonly steps: readonly Step[]
  readonly diagnostics: readonly Diagnostic[]
  /** Frames of the learner's own file, innermost first: `exercise.ts:12:5 in isAllowed`. */
  readonly stack: readonly string[]
}

/** What running one check produced. Points are computed from it by `#scoring/score.ts`. */
export interface Outcome {
  readonly id: string
  readonly verdict: Verdict
  /** One sentence: for `fail` what was expected and what came; for `skipped` and `inconclusive` the reason. */
  readonly message: Text | null
  readonly evidence: Evidence | null
  /** For `skipped`: the id of the check that blocks it. Null when the check cannot apply: its weight is then shared out. */
  readonly blockedBy: string | null
  /** For `inconclusive`: a service failed, which a submission may have caused. */
  readonly serviceFailed?: true
  readonly durationMs: number
}

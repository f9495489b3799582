import type { Exercise } from '#catalog/exercise.ts'
import type { Submission } from '#catalog/submission.ts'
import type { Text } from '#catalog/text.ts'
import type { Outcome } from '#scoring/outcome.ts'
import type { ServiceKind } from '#services/services.ts'

/** `broken`: does not parse or load, lacks the exports, or takes the services down whenever it runs. */
export type State = 'graded' | 'untouched' | 'not-graded' | 'broken'

export interface ServiceInUse {
  readonly version: string
  readonly from: ServiceKind
}

/** The raw result of grading one submission of one exercise; points come from `#scoring/score.ts`. */
export interface Graded {
  readonly exercise: Exercise
  readonly state: State
  /** Why it is not simply graded; null for `graded`. */
  readonly message: Text | null
  /** One for every check of the rubric, in the rubric's order; empty when untouched or broken. */
  readonly outcomes: readonly Outcome[]
  readonly durationMs: number
  readonly services: { readonly redis: ServiceInUse | null; readonly kafka: ServiceInUse | null }
  readonly isolation: Isolation
}

export type Isolation = 'bubblewrap' | 'container' | 'permissions'

/** What happens while grading; the terminal, the watch mode and a class each draw it in their own way. */
export type GradeEvent =
  | { readonly type: 'services'; readonly exercise: Exercise; readonly message: Text }
  | { readonly type: 'started'; readonly exercise: Exercise }
  | { readonly type: 'outcome'; readonly exercise: Exercise; readonly outcome: Outcome }
  | { readonly type: 'retrying'; readonly exercise: Exercise; readonly reason: Text }
  | { readonly type: 'finished'; readonly exercise: Exercise }

export interface Grader {
  /** May be called again before it has answered. Throws ServicesUnavailable. */
  grade(exercise: Exercise, submission: Submission, options?: GradeOptions): Promise<Graded>
  close(): Promise<void>
}

export interface GradeOptions {
  readonly services?: ServiceKind
  readonly onEvent?: (event: GradeEvent) => void
}

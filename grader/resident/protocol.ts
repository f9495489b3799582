import type { Text } from '#catalog/text.ts'
import type { ServiceKind } from '#services/services.ts'
import type { GradeEvent, Graded } from '../grade.types.ts'

/** How many submissions one command has graded at once: while some wait for their servers, another has the cores. */
export const SIDE_BY_SIDE = 2

/** What a command asks of the resident grader; each message is one line of JSON. */
export type Request =
  /** First. `key` is what both must agree on: the kit's files and the environment. */
  | { op: 'hello'; key: string }
  | { op: 'grade'; id: number; slug: string; submission: PlainSubmission; services: ServiceKind | null }
  | { op: 'down' }

export type Answer =
  | { type: 'welcome' }
  /** Another command is being served. */
  | { type: 'busy' }
  /** It was started under another key, and has ended. */
  | { type: 'retired' }
  | { type: 'event'; id: number; event: PlainEvent }
  | { type: 'graded'; id: number; graded: PlainGraded }
  | { type: 'unavailable'; id: number; text: Text }
  | { type: 'failed'; id: number; message: string; stack: string }

export interface PlainSubmission {
  readonly path: string
  readonly root: string
  readonly entry: string
  readonly files: readonly (readonly [name: string, content: string])[]
}

/** The exercise is known to both sides. */
export type PlainGraded = Omit<Graded, 'exercise'>

export type PlainEvent = WithoutExercise<GradeEvent>

type WithoutExercise<Event> = Event extends unknown ? Omit<Event, 'exercise'> : never

export function plainEvent({ exercise: _, ...event }: GradeEvent): PlainEvent {
  return event
}

import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Exercise } from '#catalog/exercise.ts'
import type { Outcome } from '#scoring/outcome.ts'
import type { Graded } from '../grade.types.ts'

/**
 * What has been graded so far of a self-check that takes hours: whoever interrupts it loses nothing. A program goes by a
 * key that stands for everything its verdict comes from (`provenance.ts`).
 */
export interface Journal {
  /** What the program got in `round`, without evidence; null when it has not been graded yet. */
  find(round: number, key: string, exercise: Exercise): Graded | null
  keep(round: number, key: string, graded: Graded): void
  /** All is graded: the next self-check begins anew. */
  remove(): void
}

/** An outcome without its evidence; a pass is its id alone. */
type Line = string | Pick<Outcome, 'id' | 'verdict' | 'message'>

interface Entry extends Omit<Graded, 'exercise' | 'outcomes'> {
  readonly round: number
  readonly key: string
  readonly outcomes: readonly Line[]
}

/** Opens the journal in `file`, and forgets in it what stands under none of the `keys`: other programs, other checks. */
export function openJournal(file: string, keys: ReadonlySet<string>): Journal {
  const entries = new Map(kept(file).filter(({ key }) => keys.has(key)).map((entry) => [`${entry.round} ${entry.key}`, entry]))
  // Written again as it was understood: what was cut off in the middle of a line is gone.
  writeFileSync(file, [...entries.values()].map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  return {
    find(round, key, exercise) {
      const entry = entries.get(`${round} ${key}`)
      if (!entry) return null
      const { outcomes, ...graded } = entry
      return { ...graded, exercise, outcomes: outcomes.map(outcomeOf) }
    },
    keep(round, key, { exercise: _, outcomes, ...graded }) {
      const entry: Entry = { round, key, ...graded, outcomes: outcomes.map(lineOf) }
      appendFileSync(file, `${JSON.stringify(entry)}\n`)
    },
    remove: () => rmSync(file, { force: true }),
  }
}

const kept = (file: string): Entry[] => contents(file).split('\n').flatMap(parsed)

function contents(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function parsed(line: string): Entry[] {
  try {
    return [JSON.parse(line) as Entry]
  } catch {
    return []
  }
}

const lineOf = ({ id, verdict, message }: Outcome): Line => (verdict === 'pass' ? id : { id, verdict, message })

function outcomeOf(line: Line): Outcome {
  const { id, verdict, message } = typeof line === 'string' ? { id: line, verdict: 'pass' as const, message: null } : line
  return { id, verdict, message, evidence: null, blockedBy: null, durationMs: 0 }
}

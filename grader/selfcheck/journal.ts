import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Exercise } from '#catalog/exercise.ts'
import type { Outcome } from '#scoring/outcome.ts'
import type { Graded } from '../grade.types.ts'

/** What has been graded so far of a self-check that takes hours: whoever interrupts it loses nothing. */
export interface Journal {
  /** What the program `name` got in `round`, without evidence; null when it has not been graded yet. */
  find(round: number, name: string, exercise: Exercise): Graded | null
  keep(round: number, name: string, graded: Graded): void
  /** All is graded: the next self-check begins anew. */
  remove(): void
}

/** An outcome without its evidence; a pass is its id alone. */
type Line = string | Pick<Outcome, 'id' | 'verdict' | 'message'>

interface Entry extends Omit<Graded, 'exercise' | 'outcomes'> {
  readonly round: number
  readonly name: string
  readonly outcomes: readonly Line[]
}

/** Opens the journal in `file`. One that was kept under another `key` (other programs, other checks) is begun anew. */
export function openJournal(file: string, key: string): Journal {
  const entries = new Map(kept(file, key).map((entry) => [`${entry.round} ${entry.name}`, entry]))
  // Written again as it was understood: what was cut off in the middle of a line is gone.
  writeFileSync(file, [key, ...[...entries.values()].map((entry) => JSON.stringify(entry))].map((line) => `${line}\n`).join(''))
  return {
    find(round, name, exercise) {
      const entry = entries.get(`${round} ${name}`)
      if (!entry) return null
      const { outcomes, ...graded } = entry
      return { ...graded, exercise, outcomes: outcomes.map(outcomeOf) }
    },
    keep(round, name, { exercise: _, outcomes, ...graded }) {
      const entry: Entry = { round, name, ...graded, outcomes: outcomes.map(lineOf) }
      appendFileSync(file, `${JSON.stringify(entry)}\n`)
    },
    remove: () => rmSync(file, { force: true }),
  }
}

function kept(file: string, key: string): Entry[] {
  const [first, ...lines] = contents(file).split('\n')
  return first === key ? lines.flatMap(parsed) : []
}

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

import { shorten, type Screen } from './layout.ts'
import type { EvidenceReport } from './schema.ts'
import { words } from './words.ts'

type Step = EvidenceReport['steps'][number]

/**
 * The learner's own commands in the order the server saw them, a column for
 * each caller, a numbered line for each step; what the calls came to stands last.
 */
export function drawTimeline({ lanes, steps }: EvidenceReport, screen: Screen): string[] {
  if (steps.length === 0) return []
  const heads = lanes.length > 0 ? lanes : ['']
  const numberWidth = String(steps.length).length
  const column = columnWidth(heads, steps, screen.width - numberWidth - 2)
  const { numbered, results } = splitResults(steps)
  const margin = ' '.repeat(numberWidth + 2)
  const lines = numbered.map((step, index) => {
    const number = String(index + 1).padStart(numberWidth)
    return `${screen.colors.dim(number)}  ${' '.repeat(step.lane * column)}${drawStep(step, column, screen)}`
  })
  const head = heads.some(Boolean) ? [margin + heads.map((name) => cell(name, column)).join('').trimEnd()] : []
  const foot = results.length > 0 ? [margin + resultRow(results, heads.length, column)] : []
  return [...head, ...lines, ...foot]
}

/** Two spaces between columns; no wider than its longest step needs. */
function columnWidth(heads: readonly string[], steps: readonly Step[], available: number): number {
  const wanted = [...heads.map((head) => head.length), ...steps.map((step) => step.text.length + noteLength(step))]
  const longest = Math.max(...wanted)
  return Math.min(Math.floor(available / heads.length), longest + 3)
}

function noteLength({ reply }: Step): number {
  return reply === null ? 20 : reply.length + 5
}

/** The last step of a lane, when nothing was awaited any more, is what its call came to. */
function splitResults(steps: readonly Step[]): { numbered: readonly Step[]; results: readonly Step[] } {
  let cut = steps.length
  const lanes = new Set<number>()
  while (cut > 0) {
    const { lane, reply, mark } = steps[cut - 1]!
    if (reply !== null || mark !== null || lanes.has(lane)) break
    lanes.add(lane)
    cut--
  }
  return { numbered: steps.slice(0, cut), results: steps.slice(cut) }
}

function drawStep({ text, reply, mark }: Step, column: number, { colors, lang }: Screen): string {
  const width = column - 2
  const notes = [reply !== null && `→ ${shorten(reply, 24)}`, mark && `✗ ${words[mark][lang]}`]
  const note = notes.filter(Boolean).join('  ')
  if (!note) return shorten(text, width)
  const command = shorten(text, Math.max(10, width - note.length - 2))
  return `${command}  ${mark ? colors.red(note) : colors.dim(note)}`
}

function resultRow(results: readonly Step[], lanes: number, column: number): string {
  const cells = Array.from({ length: lanes }, (_, lane) => results.find((step) => step.lane === lane)?.text ?? '')
  return cells.map((text) => cell(text, column)).join('').trimEnd()
}

function cell(text: string, column: number): string {
  return shorten(text, column - 2).padEnd(column)
}

import { shorten, wrap, type Screen } from './layout.ts'
import type { DiagnosticReport, EvidenceReport } from './schema.ts'
import { drawTimeline } from './timeline.ts'
import { words } from './words.ts'

/** What was done, what came, and the place or the timeline that shows it: lines without indent. */
export function drawEvidence(evidence: EvidenceReport, screen: Screen): string[] {
  const blocks = [
    drawValues(evidence, screen),
    drawTimeline(evidence, screen),
    drawDiagnostics(evidence.diagnostics, screen),
    evidence.stack.map((frame) => screen.colors.dim(shorten(`${words.atStack[screen.lang]} ${frame}`, screen.width))),
  ]
  return blocks.filter((block) => block.length > 0).flatMap((block, index) => (index === 0 ? block : ['', ...block]))
}

function drawValues({ did, expected, got }: EvidenceReport, { lang, width, colors }: Screen): string[] {
  const rows = [
    { name: words.did[lang], value: did, paint: String },
    { name: words.expected[lang], value: expected, paint: colors.green },
    { name: words.got[lang], value: got, paint: colors.red },
  ]
  const nameWidth = Math.max(...rows.map(({ name }) => name.length))
  return rows.flatMap(({ name, value, paint }) => {
    if (value === null) return []
    const lines = wrap(value, width - nameWidth - 2)
    return lines.map((line, index) => `${(index === 0 ? name : '').padEnd(nameWidth)}  ${paint(line)}`)
  })
}

const mostShown = 3

/** As a compiler shows them: place, message, the line, and a caret under the very character. */
function drawDiagnostics(diagnostics: readonly DiagnosticReport[], screen: Screen): string[] {
  const shown = diagnostics.slice(0, mostShown).flatMap((one) => drawDiagnostic(one, screen))
  const more = diagnostics.length - mostShown
  return more > 0 ? [...shown, words.moreDiagnostics(more)[screen.lang]] : shown
}

function drawDiagnostic({ file, line, column, code, message, source }: DiagnosticReport, screen: Screen): string[] {
  const { width, colors } = screen
  const margin = String(line).length
  const { text, caret } = windowOn(source, column, width - margin - 3)
  return [
    ...wrap(`${file}:${line}:${column} ${message} [${code}]`, width),
    `${colors.dim(`${line} │`)} ${text}`,
    `${colors.dim(`${' '.repeat(margin)} │`)} ${' '.repeat(caret)}${colors.red('^')}`,
  ]
}

/** The part of a line around a column (from 1), without its indent, and where the caret stands in it. */
function windowOn(source: string, column: number, width: number): { text: string; caret: number } {
  const indent = source.length - source.trimStart().length
  const start = Math.min(indent, column - 1)
  const from = column - 1 - start < width - 10 ? start : column - 1 - Math.floor(width / 2)
  const cut = from > start ? '…' : ''
  const text = cut + source.slice(from).replaceAll('\t', ' ')
  return { text: shorten(text, width), caret: column - 1 - from + cut.length }
}

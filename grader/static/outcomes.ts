import type { Exercise } from '#catalog/exercise.ts'
import type { Text } from '#catalog/text.ts'
import type { Diagnostic, Evidence, Outcome } from '#scoring/outcome.ts'
import { staticChecks, type Broken, type Findings, type StaticCheck } from './findings.ts'

/** As many as help: the first one often causes the others. */
const shown = 20

/** One outcome for each static check of the exercise's rubric. */
export function outcomesOf(exercise: Exercise, findings: Findings, durationMs: number): Outcome[] {
  return forEachCheck(exercise, (id) => {
    const found = findings[id]
    const message = sentences[id](found.length, placeOf(found[0]))
    const failed = { verdict: 'fail', message, evidence: evidence(found) } as const
    const passed = { verdict: 'pass', message: null, evidence: null } as const
    return { id, ...(found.length > 0 ? failed : passed), blockedBy: null, durationMs }
  })
}

/** The compiler ran out of its time or memory on this file, or broke: nothing was shown, so nothing passes. */
export function gaveUp(exercise: Exercise, reason: Text, durationMs: number): Outcome[] {
  return forEachCheck(exercise, (id) => {
    return { id, verdict: 'fail', message: reason, evidence: null, blockedBy: null, durationMs }
  })
}

/** The message of a submission that cannot be read as a program. */
export function brokenBy(diagnostics: readonly Diagnostic[], entry: string): Broken {
  const places = diagnostics.slice(0, 5).map(asCompilersShowIt).join('\n')
  return {
    state: 'broken',
    message: { en: `${entry} cannot be run as it is:\n${places}`, vi: `Chưa chạy được ${entry}:\n${places}` },
    diagnostics,
  }
}

export const brokeTheCompiler: Broken = {
  state: 'broken',
  message: {
    en: 'The compiler gave up on this file before it understood it. Is something nested very deeply?',
    vi: 'Trình biên dịch bỏ cuộc khi chưa đọc hết file. Có đoạn nào lồng nhau quá sâu không?',
  },
  diagnostics: [],
}

/** Null when nothing is missing. */
export function missingExports(exercise: Exercise, exports: readonly string[], entry: string): Broken | null {
  const missing = Object.keys(exercise.exports).filter((name) => !exports.includes(name))
  if (missing.length === 0) return null
  const names = missing.join(', ')
  return {
    state: 'broken',
    message: {
      en: `${entry} does not export ${names}. Export it under exactly this name.`,
      vi: `${entry} chưa export ${names}. Hãy export đúng tên này.`,
    },
    diagnostics: [],
  }
}

function forEachCheck(exercise: Exercise, outcome: (id: StaticCheck) => Outcome): Outcome[] {
  return exercise.checks
    .filter(({ common, id }) => common && staticChecks.includes(id as StaticCheck))
    .map(({ id }) => outcome(id as StaticCheck))
}

const sentences: Record<StaticCheck, (count: number, place: string) => Text> = {
  'strict-types': (count, place) => ({
    en: `The compiler finds ${counted(count, 'type error')} under strict; the first at ${place}.`,
    vi: `Ở chế độ strict, trình biên dịch báo ${count} lỗi kiểu; lỗi đầu tiên ở ${place}.`,
  }),
  'no-any': (count, place) => ({
    en: `Types are given up in ${counted(count, 'place')}; the first at ${place}.`,
    vi: `Có ${count} chỗ bỏ qua kiểm tra kiểu; chỗ đầu tiên ở ${place}.`,
  }),
  'no-unused-code': (count, place) => ({
    en: `${counted(count, 'declaration')} nobody reads; the first at ${place}.`,
    vi: `Có ${count} khai báo không được dùng đến; khai báo đầu tiên ở ${place}.`,
  }),
  'no-floating-promises': (count, place) => ({
    en: `${counted(count, 'promise')} nobody waits for, so that an error is lost; the first at ${place}.`,
    vi: `Có ${count} promise không ai chờ, nên lỗi sẽ bị mất; promise đầu tiên ở ${place}.`,
  }),
  'doc-comments': (count, place) => ({
    en: `${counted(count, 'export')} without a doc comment; the first at ${place}.`,
    vi: `Có ${count} export chưa có doc comment; export đầu tiên ở ${place}.`,
  }),
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function placeOf(diagnostic: Diagnostic | undefined): string {
  return diagnostic ? `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}` : ''
}

function evidence(diagnostics: readonly Diagnostic[]): Evidence {
  return {
    kind: 'diagnostics',
    did: null,
    expected: null,
    got: null,
    lanes: [],
    steps: [],
    diagnostics: diagnostics.slice(0, shown),
    stack: [],
  }
}

function asCompilersShowIt(diagnostic: Diagnostic): string {
  const { message, source, column } = diagnostic
  const line = source.slice(0, 100)
  const caret = line.slice(0, column - 1).replace(/[^\t]/g, ' ') + '^'
  return `  ${placeOf(diagnostic)}: ${message}\n    ${line}\n    ${caret}`
}

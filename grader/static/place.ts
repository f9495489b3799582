import type { Diagnostic } from '#scoring/outcome.ts'

interface File {
  readonly name: string
  readonly text: string
}

/** A diagnostic at `offset` (UTF-16 units) of a file. */
export function placeAt(file: File, offset: number, code: string, message: string): Diagnostic {
  const before = file.text.slice(0, offset).split('\n')
  return at(file, before.length, before.at(-1)!.length + 1, code, message)
}

/** A diagnostic at a line and column, both counted from 1. */
export function at({ name, text }: File, line: number, column: number, code: string, message: string): Diagnostic {
  const source = text.split('\n')[line - 1]?.replace(/\r$/, '') ?? ''
  return { file: name, line, column, code, message, source: source.slice(0, 400) }
}

import type picocolors from 'picocolors'
import type { Lang } from '#catalog/text.ts'

/** How a screen is drawn: for whom, how wide, and with which colours (none when piped). */
export interface Screen {
  readonly lang: Lang
  /** Columns, 60 or more. */
  readonly width: number
  readonly colors: ReturnType<typeof picocolors.createColors>
}

/** Breaks text at spaces so that no line is longer than `width`; line breaks of the text stay. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines = text.split('\n').flatMap((paragraph) => wrapParagraph(paragraph, width - indent.length))
  return lines.map((line) => indent + line)
}

function wrapParagraph(paragraph: string, width: number): string[] {
  // Lines that are already laid out, such as quoted code, keep their spaces.
  if (paragraph.length <= width || /^\s/.test(paragraph)) return [shorten(paragraph, width)]
  const lines: string[] = []
  let line = ''
  for (const word of paragraph.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line ? `${line} ${word}` : word
    }
  }
  return [...lines, line].map((one) => shorten(one.trimEnd(), width))
}

/** Cuts text that is too long and says so with an ellipsis. */
export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

/** Points as people of that language write them: `5.2`, `5,2`. */
export function decimal(points: number, lang: Lang): string {
  return lang === 'vi' ? String(points).replace('.', ',') : String(points)
}

/**
 * The same data with every control character made visible: what comes from a
 * learner's process must not move the cursor or recolour the screen.
 */
export function inert<T>(report: T): T {
  const reviver = (_: string, value: unknown) => (typeof value === 'string' ? visible(value) : value)
  return JSON.parse(JSON.stringify(report), reviver) as T
}

/** All control characters but tab and line feed, and those that turn the direction of writing. */
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

function visible(text: string): string {
  return text.replace(control, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

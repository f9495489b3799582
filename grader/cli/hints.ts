import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { kitFolder, type Exercise } from '#catalog/exercise.ts'
import type { Lang, Text } from '#catalog/text.ts'
import { wrap } from '#report/layout.ts'

const defaultFile = join(kitFolder, '.kit', 'hints.json')

/** The exercise's next hint and the ones before it; remembers how far the learner went. */
export function nextHint({ slug, number, hints }: Exercise, lang: Lang, file = defaultFile): string {
  if (hints.length === 0) return `${noHints(number)[lang]}\n`
  const seen = readSeen(file)
  const count = Math.min(hints.length, (seen[slug] ?? 0) + 1)
  writeSeen(file, { ...seen, [slug]: count })
  const shown = hints
    .slice(0, count)
    .map((hint, index) => `${heading(index + 1, hints.length)[lang]}\n${wrap(hint[lang].trim(), 80).join('\n')}\n`)
  return `\n${shown.join('\n')}\n${(count < hints.length ? more(number) : last(number))[lang]}\n`
}

function readSeen(file: string): Record<string, number> {
  try {
    const seen = JSON.parse(readFileSync(file, 'utf8')) as unknown
    const entries = Object.entries(seen as object).filter(([, count]) => Number.isSafeInteger(count) && count >= 0)
    return Object.fromEntries(entries) as Record<string, number>
  } catch {
    // Not there yet, or not ours any more: the hints begin again.
    return {}
  }
}

function writeSeen(file: string, seen: Record<string, number>): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(seen, null, 2)}\n`)
}

function heading(index: number, all: number): Text {
  return { en: `Hint ${index} of ${all}`, vi: `Gợi ý ${index}/${all}` }
}

function more(number: number): Text {
  return {
    en: `The next one: npm run exercise ${number} -- --hint`,
    vi: `Gợi ý tiếp: npm run exercise ${number} -- --hint`,
  }
}

function last(number: number): Text {
  return {
    en: `That was the last hint. See how far you are: npm run exercise ${number}`,
    vi: `Đây là gợi ý cuối cùng. Xem kết quả hiện tại: npm run exercise ${number}`,
  }
}

function noHints(number: number): Text {
  return { en: `Exercise ${number} has no hints.`, vi: `Bài ${number} không có gợi ý.` }
}

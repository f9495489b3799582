import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { cacheDir, hash } from '#services/place.ts'

type Parser = typeof import('./rubric-parser.ts')

/** Reading YAML and checking it takes ten times as long as all the rest of a command's start: only for what has changed. */
const parser = (): Parser => createRequire(import.meta.url)('./rubric-parser.ts') as Parser

/** `exercises/<slug>/rubric.yaml`. Throws CommandError naming the file, the check and the field. */
export function readRubric(file: string, shownAs: string): ReturnType<Parser['parseRubric']> {
  return remembered('rubric', file, () => parser().parseRubric(file, shownAs))
}

/** `exercises/common.rubric.yaml`: the checks that every exercise has. */
export function readCommonRubric(file: string, shownAs: string): ReturnType<Parser['parseCommonRubric']> {
  return remembered('common', file, () => parser().parseCommonRubric(file, shownAs))
}

/** `exercises/<slug>/hints.yaml`: three progressive hints, and one for each frequent mistake. */
export function readHints(file: string, shownAs: string): ReturnType<Parser['parseHints']> {
  return remembered('hints', file, () => parser().parseHints(file, shownAs))
}

/** What `parse` made of the very same text last time; a file that is wrong is parsed, and complained about, every time. */
function remembered<T>(kind: string, file: string, parse: () => T): T {
  const key = keyOf(file)
  const place = key && placeOf(kind, file)
  if (!place) return parse()
  const known = readKnown<T>(place)
  if (known?.key === key) return known.value
  const value = parse()
  try {
    const draft = `${place}.${process.pid}`
    writeFileSync(draft, JSON.stringify({ key, value }))
    renameSync(draft, place)
  } catch {
    // A cache that cannot be written costs time, nothing else.
  }
  return value
}

function keyOf(file: string): string | null {
  try {
    const sources = ['rubric-parser.ts', 'skills.ts', 'levels.ts'].map((name) => readFileSync(path.join(import.meta.dirname, name)))
    const digest = createHash('sha256')
    for (const content of [...sources, readFileSync(file)]) digest.update(content)
    return digest.digest('hex')
  } catch {
    return null
  }
}

function placeOf(kind: string, file: string): string | null {
  try {
    const folder = path.join(cacheDir(), 'catalog')
    mkdirSync(folder, { recursive: true })
    return path.join(folder, `${kind}-${hash(file)}.json`)
  } catch {
    return null
  }
}

function readKnown<T>(place: string): { readonly key: string; readonly value: T } | null {
  try {
    return JSON.parse(readFileSync(place, 'utf8')) as { key: string; value: T }
  } catch {
    return null
  }
}

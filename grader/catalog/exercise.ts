import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { CommandError } from './command-error.ts'
import type { Criterion, Level } from './levels.ts'
import { nearest } from './nearest.ts'
import { readCommonRubric, readHints, readRubric } from './rubric.ts'
import type { Text } from './text.ts'

export interface Exercise {
  readonly number: number
  /** Its folder's name: `06-sliding-window-limiter`. */
  readonly slug: string
  readonly title: Text
  /** The absolute folder of the statement, the stub and the rubric. */
  readonly dir: string
  /** The absolute folder of the solution and the hidden suite, or null in a handout. */
  readonly solutionDir: string | null
  readonly services: readonly ('redis' | 'kafka')[]
  /** What a submission must export. */
  readonly exports: Readonly<Record<string, 'function' | 'class'>>
  /** The exercise's own checks, then the ones common to all. */
  readonly checks: readonly RubricCheck[]
  /** Three, each saying a little more. */
  readonly hints: readonly Text[]
  /** What to say when a check fails that often fails, by the check's id. */
  readonly mistakes: ReadonlyMap<string, Text>
}

export interface RubricCheck {
  readonly id: string
  readonly title: Text
  /** Null for the common checks: tidy code alone reaches no level. */
  readonly level: Level | null
  readonly criterion: Criterion
  /** Skills of `skills.ts`, such as `redis/rate-limiting`. */
  readonly skills: readonly string[]
  /** Its share of the criterion's points, relative to the criterion's other checks. */
  readonly weight: number
  readonly common: boolean
}

/** The folder that holds `exercises/` and `solutions/`. */
export const kitFolder = join(import.meta.dirname, '..', '..')

/** Every exercise of the kit, by number. Throws CommandError when a rubric is wrong. */
export function listExercises(root = kitFolder): Exercise[] {
  return slugs(root).map((slug) => readExercise(root, slug))
}

/**
 * The exercise of that number (`6`, `06`), slug, or unique beginning of a slug
 * with or without its number. Throws CommandError naming the nearest for a typo.
 */
export function findExercise(name: string, root = kitFolder): Exercise {
  const all = slugs(root)
  const found = matching(name, all)
  if (found.length === 1) return readExercise(root, found[0]!)
  throw found.length > 1 ? ambiguous(name, found) : unknown(name, all)
}

function slugs(root: string): string[] {
  const folder = join(root, 'exercises')
  return readdirSync(folder)
    .filter((name) => /^\d{2,}-/.test(name) && existsSync(join(folder, name, 'rubric.yaml')))
    .sort((a, b) => numberOf(a) - numberOf(b))
}

function matching(name: string, all: readonly string[]): string[] {
  if (/^\d+$/.test(name)) return all.filter((slug) => numberOf(slug) === Number(name))
  const typed = name.toLowerCase()
  const exact = all.filter((slug) => slug === typed || topicOf(slug) === typed)
  if (exact.length || !typed) return exact
  return all.filter((slug) => slug.startsWith(typed) || topicOf(slug).startsWith(typed))
}

function readExercise(root: string, slug: string): Exercise {
  const dir = join(root, 'exercises', slug)
  const solutionDir = join(root, 'solutions', slug)
  const rubric = readRubric(...named(root, join(dir, 'rubric.yaml')))
  const own = rubric.checks.map((check) => ({ ...check, common: false }))
  const hints = readHintsOf(root, dir, own)
  return {
    number: numberOf(slug),
    slug,
    title: rubric.title,
    dir,
    solutionDir: existsSync(solutionDir) ? solutionDir : null,
    services: rubric.services,
    exports: rubric.exports,
    checks: [...own, ...commonChecks(root, slug, own)],
    ...hints,
  }
}

function commonChecks(root: string, slug: string, own: readonly { id: string }[]): RubricCheck[] {
  const { checks } = readCommonRubric(...named(root, join(root, 'exercises', 'common.rubric.yaml')))
  for (const { id } of checks) {
    if (own.some((check) => check.id === id)) throw taken(slug, id)
  }
  return checks.map((check) => ({ ...check, level: null, skills: [], common: true }))
}

type Hints = Pick<Exercise, 'hints' | 'mistakes'>

function readHintsOf(root: string, dir: string, checks: readonly { id: string }[]): Hints {
  const file = join(dir, 'hints.yaml')
  if (!existsSync(file)) return { hints: [], mistakes: new Map() }
  const { hints, mistakes } = readHints(...named(root, file))
  for (const { check } of mistakes) {
    if (!checks.some(({ id }) => id === check)) throw mistakeOfNoCheck(relative(root, file), check)
  }
  return { hints, mistakes: new Map(mistakes.map(({ check, hint }) => [check, hint])) }
}

function named(root: string, file: string): [file: string, shownAs: string] {
  return [file, relative(root, file)]
}

function numberOf(slug: string): number {
  return Number.parseInt(slug, 10)
}

function topicOf(slug: string): string {
  return slug.replace(/^\d+-/, '')
}

function unknown(name: string, all: readonly string[]): CommandError {
  const meant = nearest(name.toLowerCase(), all.flatMap((slug) => [slug, topicOf(slug)]))
  const slug = all.find((candidate) => candidate === meant || topicOf(candidate) === meant)
  const list = all.map((candidate) => `  ${candidate}`).join('\n')
  return slug
    ? new CommandError({
        en: `There is no exercise "${name}". Did you mean ${slug}?\nTry: npm run exercise ${numberOf(slug)}`,
        vi: `Không có bài tập "${name}". Có phải ý bạn là ${slug}?\nThử: npm run exercise ${numberOf(slug)}`,
      })
    : new CommandError({
        en: `There is no exercise "${name}". These exist:\n${list}`,
        vi: `Không có bài tập "${name}". Hiện có:\n${list}`,
      })
}

function ambiguous(name: string, found: readonly string[]): CommandError {
  const list = found.map((slug) => `  npm run exercise ${numberOf(slug)}   ${slug}`).join('\n')
  return new CommandError({
    en: `"${name}" fits several exercises. Choose one:\n${list}`,
    vi: `"${name}" khớp với nhiều bài tập. Hãy chọn một:\n${list}`,
  })
}

function taken(slug: string, id: string): CommandError {
  return new CommandError({
    en: `exercises/${slug}/rubric.yaml, check ${id}: the common rubric has a check of that id. Rename this one.`,
    vi: `exercises/${slug}/rubric.yaml, mục kiểm tra ${id}: rubric chung đã dùng id này. Hãy đổi tên.`,
  })
}

function mistakeOfNoCheck(file: string, check: string): CommandError {
  return new CommandError({
    en: `${file}, mistake ${check}: the rubric has no check of that id.`,
    vi: `${file}, lỗi thường gặp ${check}: rubric không có mục kiểm tra nào mang id này.`,
  })
}

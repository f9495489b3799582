import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import { candidates } from '#static/candidates.ts'
import type { Exercise } from './exercise.ts'
import type { Text } from './text.ts'

/** What a learner handed in, as it was at one moment: changes on disk do not reach it any more. */
export interface Submission {
  /** As it was typed. */
  readonly path: string
  /** The absolute folder of the entry. Nothing outside it belongs to the submission. */
  readonly root: string
  /** The file that has the exports, relative to `root`. */
  readonly entry: string
  /** The entry and what it imports from its own folder: path relative to `root` (with `/`), content. */
  readonly files: ReadonlyMap<string, string>
}

/** The submission cannot be read. `missing`: there is nothing of the kind at that path. */
export class SubmissionError extends Error {
  readonly text: Text
  readonly missing: boolean

  constructor(text: Text, missing = false) {
    super(text.en)
    this.name = 'SubmissionError'
    this.text = text
    this.missing = missing
  }
}

const most = { files: 100, bytes: 1_000_000 }

/**
 * Reads the submission at PATH: a file, a folder with an `exercise.ts`, or a
 * folder laid out like `exercises/`. `from` is the folder a relative PATH starts at.
 * Throws SubmissionError.
 */
export async function readSubmission(path: string, exercise: Exercise, from = process.cwd()): Promise<Submission> {
  const file = entryOf(path, exercise, from)
  const root = realpathSync(dirname(file))
  const entry = relative(dirname(file), file)
  return { path, root, entry, files: snapshot(root, entry) }
}

/** Whether PATH is laid out like `exercises/`, and so may hold several exercises. */
export function holdsExercises(path: string, from = process.cwd()): boolean {
  return kindOf(resolve(from, path)) === 'folder' && kindOf(resolve(from, path, 'exercise.ts')) !== 'file'
}

function entryOf(path: string, exercise: Exercise, from: string): string {
  const absolute = resolve(from, path)
  const kind = kindOf(absolute)
  if (kind === 'file') return absolute
  if (kind === null) throw noSuchPath(path)
  const candidates = [join(absolute, 'exercise.ts'), join(absolute, exercise.slug, 'exercise.ts')]
  const found = candidates.find((candidate) => kindOf(candidate) === 'file')
  if (!found) throw noExercise(path, exercise)
  return found
}

function kindOf(path: string): 'file' | 'folder' | null {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return null
  return stats.isDirectory() ? 'folder' : 'file'
}

/** The entry and all it reaches by relative import, so that neighbours that do not matter are never opened. */
function snapshot(root: string, entry: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  const waiting = [entry]
  let bytes = 0
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (files.has(name)) continue
    const content = readText(root, name)
    bytes += Buffer.byteLength(content)
    files.set(name, content)
    if (bytes > most.bytes || files.size > most.files) throw tooBig()
    for (const neighbour of importedBy(name, content)) {
      const found = candidates(neighbour).find((candidate) => isFile(join(root, candidate)))
      if (found) waiting.push(found)
    }
  }
  return files
}

/**
 * Relative imports, found by their text: one in a comment costs a file read for
 * nothing, which is cheaper than parsing what may be hostile in this process.
 */
function importedBy(name: string, content: string): string[] {
  if (!/\.[cm]?[jt]s$/.test(name)) return []
  return [...content.matchAll(/\b(?:from|import|require)\b\s*\(?\s*(['"`])(\.{1,2}\/[^'"`\n]*)\1/g)]
    .map((match) => posix.join(posix.dirname(name), match[2]!))
    .filter((path) => !path.startsWith('../') && !path.split('/').includes('node_modules'))
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function readText(root: string, name: string): string {
  const bytes = readBytes(root, name)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new SubmissionError({
      en: `${name} is not UTF-8 text. Save it as UTF-8.`,
      vi: `${name} không phải văn bản UTF-8. Hãy lưu lại file với mã hóa UTF-8.`,
    })
  }
}

function readBytes(root: string, name: string): Buffer {
  const file = join(root, name)
  try {
    const real = realpathSync(file)
    if (!real.startsWith(root + sep)) throw leavesFolder(name)
    const stats = lstatSync(real)
    if (!stats.isFile()) throw notAFile(name)
    if (stats.size > most.bytes) throw tooBig()
    return readFileSync(real)
  } catch (error) {
    if (error instanceof SubmissionError) throw error
    throw new SubmissionError({
      en: `${name} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}.`,
      vi: `Không đọc được ${name}: ${(error as NodeJS.ErrnoException).code ?? 'lỗi không rõ'}.`,
    })
  }
}

function noSuchPath(path: string): SubmissionError {
  return new SubmissionError({ en: `There is nothing at ${path}.`, vi: `Không có gì ở ${path}.` }, true)
}

function noExercise(path: string, { slug }: Exercise): SubmissionError {
  return new SubmissionError(
    {
      en: `${path} holds neither exercise.ts nor ${slug}/exercise.ts.`,
      vi: `${path} không chứa exercise.ts, cũng không chứa ${slug}/exercise.ts.`,
    },
    true,
  )
}

function leavesFolder(name: string): SubmissionError {
  return new SubmissionError({
    en: `${name} is a link that leaves the submission's folder. Put the file itself there.`,
    vi: `${name} là liên kết trỏ ra ngoài thư mục bài nộp. Hãy đặt chính file đó vào thư mục.`,
  })
}

function notAFile(name: string): SubmissionError {
  return new SubmissionError({ en: `${name} is not a regular file.`, vi: `${name} không phải file thông thường.` })
}

function tooBig(): SubmissionError {
  return new SubmissionError({
    en: `The submission is too big: at most ${most.files} files and 1 MB in all are read.`,
    vi: `Bài nộp quá lớn: chỉ đọc tối đa ${most.files} file và tổng cộng 1 MB.`,
  })
}

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { kitFolder } from '#catalog/exercise.ts'
import type { Submission } from '#catalog/submission.ts'
import type { BundleResult, Findings } from './findings.ts'

/** All that reading a file concluded. `findings` is null only when the bundle is broken. */
export interface Conclusion {
  readonly bundle: BundleResult
  readonly untouched: boolean
  readonly findings: Findings | null
}

const most = 3000

/** What was concluded about the very same files by the same tools, or null. */
export function cached(submission: Submission): Conclusion | null {
  try {
    const file = fileOf(submission)
    const conclusion = JSON.parse(readFileSync(file, 'utf8')) as Conclusion
    const now = new Date()
    utimesSync(file, now, now)
    return conclusion
  } catch {
    return null
  }
}

/** Keeps a conclusion for next time. A cache that cannot be written costs time, nothing else. */
export function remember(submission: Submission, conclusion: Conclusion): void {
  try {
    mkdirSync(folder(), { recursive: true, mode: 0o700 })
    const file = fileOf(submission)
    const draft = `${file}.${process.pid}`
    writeFileSync(draft, JSON.stringify(conclusion), { mode: 0o600 })
    renameSync(draft, file)
    forgetOldest()
  } catch {
    // Nothing to do about it.
  }
}

function folder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'redis-kafka-kit', 'static')
}

function fileOf({ entry, files }: Submission): string {
  const hash = createHash('sha256').update(toolchain()).update(JSON.stringify(entry))
  for (const name of [...files.keys()].sort()) hash.update(JSON.stringify([name, files.get(name)]))
  return join(folder(), `${hash.digest('hex')}.json`)
}

let tools: string | undefined

/** The tools are the versions in the lock file and the code of this folder. */
function toolchain(): string {
  if (tools) return tools
  const hash = createHash('sha256').update(process.version)
  const sources = readdirSync(import.meta.dirname).filter((name) => /(?<!\.test)\.ts$/.test(name)).sort()
  for (const name of sources) hash.update(readFileSync(join(import.meta.dirname, name)))
  hash.update(readFileSync(join(kitFolder, 'package-lock.json')))
  tools = hash.digest('hex')
  return tools
}

function forgetOldest(): void {
  const names = readdirSync(folder())
  if (names.length <= most) return
  const byAge = names
    .map((name) => ({ name, usedAt: statSync(join(folder(), name)).mtimeMs }))
    .sort((a, b) => b.usedAt - a.usedAt)
  for (const { name } of byAge.slice(most)) rmSync(join(folder(), name), { force: true })
}

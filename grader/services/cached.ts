import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, unwritable } from './place.ts'

const hour = 3_600_000

/**
 * The cached folder `name`, built by `build` in a folder of its own if it does not exist yet and then renamed: a
 * build that is killed half-way leaves nothing that looks finished, and of two builders the first one wins.
 */
export async function cached(name: string, build: (dir: string) => Promise<void>): Promise<string> {
  const cache = cacheDir()
  const finished = join(cache, name)
  if (existsSync(finished)) return finished
  const current = building.get(finished) ?? create(cache, finished, build).finally(() => building.delete(finished))
  building.set(finished, current)
  await current
  return finished
}

/** Several servers started at once share one download. */
const building = new Map<string, Promise<void>>()

async function create(cache: string, finished: string, build: (dir: string) => Promise<void>): Promise<void> {
  sweep(cache)
  const draft = newDraft(cache)
  try {
    await build(draft)
    renameSync(draft, finished)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(finished)) throw error
  }
}

function newDraft(cache: string): string {
  try {
    return mkdtempSync(join(cache, '.draft-'))
  } catch (error) {
    throw unwritable(cache, error)
  }
}

/** Drafts of builders that died. A living one finishes within minutes. */
function sweep(cache: string): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name)
    if (name.startsWith('.draft-') && Date.now() - statSync(path).mtimeMs > hour) {
      rmSync(path, { recursive: true, force: true })
    }
  }
}

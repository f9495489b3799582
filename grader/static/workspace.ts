import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { kitFolder } from '#catalog/exercise.ts'
import type { Submission } from '#catalog/submission.ts'
import { atExit } from '../at-exit.ts'
import { lintRules } from './lint-rules.ts'

export const nodeModules = join(kitFolder, 'node_modules')

/**
 * Works in a private folder with a copy of the submission in `code/`, to be
 * read under the kit's own compiler and linter options whatever lies around
 * the original. The folder is gone afterwards, also when this process exits first.
 */
export async function inWorkspace<T>(submission: Submission, work: (workspace: string) => Promise<T>): Promise<T> {
  const workspace = await mkdtemp(join(tmpdir(), 'redis-kafka-kit-static-'))
  const leaving = atExit(() => rmSync(workspace, { recursive: true, force: true }))
  try {
    await fill(workspace, submission)
    return await work(workspace)
  } finally {
    await rm(workspace, { recursive: true, force: true, maxRetries: 3 })
    leaving.callOff()
  }
}

async function fill(workspace: string, { files }: Submission): Promise<void> {
  const names = [...files.keys()].filter((name) => !changesOptions(name))
  await Promise.all([
    writeFile(join(workspace, 'package.json'), JSON.stringify({ type: 'module' })),
    writeFile(join(workspace, 'tsconfig.json'), JSON.stringify(strictOptions)),
    writeFile(join(workspace, 'oxlint.json'), JSON.stringify(lintRules)),
    writeFile(join(workspace, 'files.json'), JSON.stringify(names.filter((name) => /\.m?ts$/.test(name)))),
    symlink(nodeModules, join(workspace, 'node_modules'), 'dir'),
    ...names.map((name) => writeNeighbour(join(workspace, 'code', name), files.get(name)!)),
  ])
}

/** What learners may write is what `tsc` accepts under `strict`; how they spell imports is not graded. */
const strictOptions = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable'],
    module: 'esnext',
    moduleResolution: 'bundler',
    resolveJsonModule: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ['node'],
    noUnusedLocals: true,
  },
  include: ['code'],
}

/** A compiler finds these by their name, and the nearest one wins. */
function changesOptions(name: string): boolean {
  return /^(package|[tj]sconfig.*)\.json$/.test(basename(name))
}

async function writeNeighbour(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
}

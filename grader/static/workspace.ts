import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { kitFolder } from '#catalog/exercise.ts'
import type { Submission } from '#catalog/submission.ts'
import { scratchOn } from '../scratch.ts'
import type { Laid } from './findings.ts'
import { lintRules } from './lint-rules.ts'

export const nodeModules = join(kitFolder, 'node_modules')

/**
 * Works in a private folder with a copy of each submission in `code/`, to be
 * read under the kit's own compiler and linter options whatever lies around
 * the original.
 */
export async function inWorkspace<T>(submissions: readonly Submission[], work: (workspace: string) => Promise<T>): Promise<T> {
  const { folder, remove } = scratchOn(tmpdir())
  try {
    await fill(folder, submissions)
    return await work(folder)
  } finally {
    remove()
  }
}

async function fill(workspace: string, submissions: readonly Submission[]): Promise<void> {
  const copies = submissions.map(({ entry, files }, i) => {
    const names = [...files.keys()].filter((name) => !changesOptions(name))
    return { folder: `code/${i}`, entry, files, names }
  })
  const laid = copies.map(({ folder, entry, names }): Laid => ({ folder, entry, files: names.filter((name) => /\.m?ts$/.test(name)) }))
  await Promise.all([
    writeFile(join(workspace, 'package.json'), JSON.stringify({ type: 'module' })),
    writeFile(join(workspace, 'tsconfig.json'), JSON.stringify(strictOptions)),
    writeFile(join(workspace, 'oxlint.json'), JSON.stringify(lintRules)),
    writeFile(join(workspace, 'finally.d.ts'), finallyWaits),
    kafkajsWaits().then((text) => writeFile(join(workspace, 'kafkajs.d.ts'), text)),
    writeFile(join(workspace, 'submissions.json'), JSON.stringify(laid)),
    symlink(nodeModules, join(workspace, 'node_modules'), 'dir'),
    ...copies.flatMap(({ folder, files, names }) =>
      names.map((name) => writeNeighbour(join(workspace, folder, name), files.get(name)!))),
  ])
}

/** What learners may write is what `tsc` accepts under `strict`; how they spell imports is not graded. */
const strictOptions = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: 'esnext',
    // Whatever the Node of the kit can run.
    lib: ['esnext'],
    module: 'esnext',
    moduleResolution: 'bundler',
    resolveJsonModule: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ['node'],
    paths: { kafkajs: ['./kafkajs.d.ts'] },
    noUnusedLocals: true,
  },
  include: ['code', 'finally.d.ts'],
}

/** What `finally` is given may return a promise, which is waited for; TypeScript's library only says `void`. */
const finallyWaits = `interface Promise<T> {
  finally(onfinally?: (() => void | PromiseLike<unknown>) | null): Promise<T>
}
`

/** So may a listener of kafkajs, whose `on` waits for it and logs what it rejects with; its types only say `void`. */
async function kafkajsWaits(): Promise<string> {
  const text = await readFile(join(nodeModules, 'kafkajs/types/index.d.ts'), 'utf8')
  return text.replaceAll(/(listener: \(.*\) => )void/g, '$1unknown')
}

/** A compiler finds these by their name, and the nearest one wins. */
function changesOptions(name: string): boolean {
  return /^(package|[tj]sconfig.*)\.json$/.test(basename(name))
}

async function writeNeighbour(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
}

/**
 * Reads submissions, in a process that may be thrown away: sources nested
 * thousands deep and type puzzles break or starve what reads them.
 * Argument: the workspace. Answers WorkerMessages, one a line, on stdout.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ourFault, staticChecks, type Findings, type Laid, type WorkerMessage } from './findings.ts'
import type { Source } from './sources.ts'

const workspace = process.argv[2]!
const submissions = JSON.parse(readFileSync(join(workspace, 'submissions.json'), 'utf8')) as Laid[]

try {
  // The bundle is what everything else waits for, so the parser is loaded only after it is out.
  const { bundle } = await import('./bundle.ts')
  const bundled: number[] = []
  for (const [of, { folder, entry }] of submissions.entries()) {
    const result = await bundle(join(workspace, folder), entry)
    tell({ of, type: 'bundle', bundle: result })
    if (result.state === 'bundled') bundled.push(of)
  }
  if (bundled.length > 0) await inspect(bundled)
  process.exit()
} catch (error) {
  console.error(error)
  process.exit(isOurFault(error) ? ourFault : 1)
}

async function inspect(bundled: readonly number[]): Promise<void> {
  const { parseReachable } = await import('./sources.ts')
  const { isUntouched } = await import('./untouched.ts')
  const parsed: { of: number; sources: readonly Source[] }[] = []
  for (const of of bundled) {
    const { folder, entry, files } = submissions[of]!
    const texts = new Map(files.map((name) => [name, readFileSync(join(workspace, folder, name), 'utf8')]))
    const sources = parseReachable(texts, entry)
    const errors = sources.flatMap((source) => source.errors)
    tell({ of, type: 'untouched', untouched: errors.length === 0 && isUntouched(sources[0]!.program) })
    if (errors.length > 0) tell({ of, type: 'findings', findings: allOf(errors) })
    else parsed.push({ of, sources })
  }
  if (parsed.length > 0) await check(parsed)
}

/** Whatever reads types reads all submissions at once. */
async function check(parsed: readonly { of: number; sources: readonly Source[] }[]): Promise<void> {
  const { silencers, withoutSilencers } = await import('./silencers.ts')
  for (const { of, sources } of parsed) {
    for (const source of sources) {
      const text = withoutSilencers(source)
      if (text !== source.text) writeFileSync(join(workspace, submissions[of]!.folder, source.name), text)
    }
  }
  const { lint } = await import('./lint.ts')
  const { withoutDocComment } = await import('./doc-comments.ts')
  const found = await lint(workspace, parsed.map(({ of, sources }) => ({ folder: submissions[of]!.folder, sources })))
  for (const [i, { of, sources }] of parsed.entries()) {
    tell({
      of,
      type: 'findings',
      findings: {
        ...found[i]!,
        'no-any': [...sources.flatMap(silencers), ...found[i]!['no-any']],
        'doc-comments': withoutDocComment(sources),
      },
    })
  }
}

/** A tool that is not there says nothing about the submission; one that broke on it does. */
function isOurFault(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' && /MODULE_NOT_FOUND|DLOPEN|ENOENT|EACCES/.test(code)
}

function allOf(errors: Findings['strict-types']): Findings {
  return Object.fromEntries(staticChecks.map((check) => [check, errors])) as unknown as Findings
}

function tell(message: WorkerMessage): void {
  writeFileSync(1, JSON.stringify(message) + '\n')
}

/**
 * Reads one submission, in a process that may be thrown away: sources nested
 * thousands deep and type puzzles break or starve what reads them.
 * Arguments: the workspace, the entry. Answers WorkerMessages, one a line, on stdout.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ourFault, staticChecks, type Findings, type WorkerMessage } from './findings.ts'

const [workspace, entry] = process.argv.slice(2) as [string, string]
const folder = join(workspace, 'code')

try {
  // The bundle is what everything else waits for, so the parser is loaded only after it is out.
  const { bundle } = await import('./bundle.ts')
  const bundled = await bundle(folder, entry)
  tell({ type: 'bundle', bundle: bundled })
  if (bundled.state === 'bundled') await inspect()
  process.exit()
} catch (error) {
  console.error(error)
  process.exit(isOurFault(error) ? ourFault : 1)
}

async function inspect(): Promise<void> {
  const { parseReachable } = await import('./sources.ts')
  const names = JSON.parse(readFileSync(join(workspace, 'files.json'), 'utf8')) as string[]
  const files = new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
  const sources = parseReachable(files, entry)
  const errors = sources.flatMap((source) => source.errors)
  const { isUntouched } = await import('./untouched.ts')
  tell({ type: 'untouched', untouched: errors.length === 0 && isUntouched(sources[0]!.program) })
  if (errors.length > 0) return tell({ type: 'findings', findings: allOf(errors) })

  const { silencers, withoutSilencers } = await import('./silencers.ts')
  for (const source of sources) {
    const text = withoutSilencers(source)
    if (text !== source.text) writeFileSync(join(folder, source.name), text)
  }
  const { lint } = await import('./lint.ts')
  const { withoutDocComment } = await import('./doc-comments.ts')
  const found = await lint(workspace, sources)
  tell({
    type: 'findings',
    findings: {
      ...found,
      'no-any': [...sources.flatMap(silencers), ...found['no-any']],
      'doc-comments': withoutDocComment(sources),
    },
  })
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

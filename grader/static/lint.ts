import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import type { Diagnostic } from '#scoring/outcome.ts'
import { staticChecks, type Findings, type StaticCheck } from './findings.ts'
import { at } from './place.ts'
import type { Source } from './sources.ts'

/** Type-checks and lints the sources of submissions that lie in folders of the workspace, and sorts what is found by submission and check. */
export async function lint(
  workspace: string, submissions: readonly { readonly folder: string; readonly sources: readonly Source[] }[],
): Promise<Findings[]> {
  const files = submissions.flatMap(({ folder, sources }) => sources.map((source) => ({ path: `${folder}/${source.name}`, folder, source })))
  const findings = new Map(submissions.map(({ folder }) => [folder, nothingFound()]))
  const byPath = new Map(files.map((file) => [file.path, file]))
  for (const one of await runOxlint(workspace, [...byPath.keys()])) {
    const file = byPath.get(one.filename.replaceAll(sep, '/'))
    if (!file) continue
    const code = one.code.replace(/^[\w-]+\((.*)\)$/, '$1')
    const { line, column } = one.labels[0]?.span ?? { line: 1, column: 1 }
    const message = one.message.replaceAll(join(workspace, file.folder) + sep, '')
    findings.get(file.folder)![checkOf(code)].push(at(file.source, line, column, code, message))
  }
  return [...findings.values()].map((found) => {
    for (const list of Object.values(found)) list.sort(byPlace)
    return found
  })
}

function nothingFound(): Record<StaticCheck, Diagnostic[]> {
  return Object.fromEntries(staticChecks.map((check) => [check, []])) as unknown as Record<StaticCheck, Diagnostic[]>
}

interface Finding {
  readonly message: string
  readonly code: string
  readonly filename: string
  readonly labels: readonly { readonly span: { readonly line: number; readonly column: number } }[]
}

/** The compiler's codes for what is declared and never read; all others of its codes are type errors. */
const unused = new Set(['TS6133', 'TS6138', 'TS6192', 'TS6196', 'TS6198', 'TS6199'])

function checkOf(code: string): StaticCheck {
  if (code === 'no-explicit-any') return 'no-any'
  if (code === 'no-floating-promises' || code === 'no-misused-promises') return 'no-floating-promises'
  return unused.has(code) ? 'no-unused-code' : 'strict-types'
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column
}

function runOxlint(workspace: string, files: readonly string[]): Promise<readonly Finding[]> {
  const require = createRequire(import.meta.url)
  const oxlint = join(dirname(require.resolve('oxlint/package.json')), 'bin', 'oxlint')
  // Asked for by path, the type-aware half starts without a wrapper script: 50 ms less.
  const tsgolint = require.resolve(`@oxlint-tsgolint/${process.platform}-${process.arch}/${executable('tsgolint')}`)
  const flags = ['-c', 'oxlint.json', '--type-aware', '--type-check', '--disable-nested-config', '--no-ignore']
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [oxlint, ...flags, '-f', 'json', ...files],
      { cwd: workspace, env: { ...process.env, OXLINT_TSGOLINT_PATH: tsgolint }, maxBuffer: 64 * 1024 * 1024 },
      (_, stdout, stderr) => {
        try {
          resolve((JSON.parse(stdout) as { diagnostics: Finding[] }).diagnostics)
        } catch {
          reject(new Error(`oxlint did not finish: ${(stdout + stderr).slice(0, 500)}`))
        }
      },
    )
  })
}

function executable(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name
}

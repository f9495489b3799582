import { posix } from 'node:path'
import { parseSync, type Comment, type EcmaScriptModule, type Program } from 'oxc-parser'
import type { Diagnostic } from '#scoring/outcome.ts'
import { candidates } from './candidates.ts'
import { placeAt } from './place.ts'

/** A TypeScript file of the submission, parsed. */
export interface Source {
  readonly name: string
  readonly text: string
  readonly program: Program
  readonly comments: readonly Comment[]
  readonly module: EcmaScriptModule
  /** Syntax errors; the rest is not to be trusted when there are any. */
  readonly errors: readonly Diagnostic[]
}

/** The entry and every TypeScript neighbour it imports, types included; the entry comes first. */
export function parseReachable(files: ReadonlyMap<string, string>, entry: string): Source[] {
  const sources = new Map<string, Source>()
  const waiting = [entry]
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (sources.has(name)) continue
    const source = parse(name, files.get(name)!)
    sources.set(name, source)
    waiting.push(...neighbours(source, files))
  }
  return [...sources.values()]
}

/** The file of the submission that `specifier`, written in `from`, stands for, or undefined. */
export function neighbour(from: string, specifier: string, has: (name: string) => boolean): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return candidates(posix.join(posix.dirname(from), specifier)).find((name) => has(name) && /\.m?ts$/.test(name))
}

function parse(name: string, text: string): Source {
  const { program, comments, module, errors } = parseSync(name, text)
  const serious = errors.filter(({ severity }) => severity === 'Error')
  return {
    name,
    text,
    program,
    comments,
    module,
    errors: serious.map(({ message, labels }) => placeAt({ name, text }, labels[0]?.start ?? 0, 'syntax', message)),
  }
}

function neighbours({ name, text, module }: Source, files: ReadonlyMap<string, string>): string[] {
  const specifiers = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest?.value ?? '')),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => text.slice(start + 1, end - 1)),
  ]
  return specifiers.flatMap((specifier) => neighbour(name, specifier, (file) => files.has(file)) ?? [])
}

import fs from 'node:fs'
import path from 'node:path'
import type { Exercise } from '#catalog/exercise.ts'

/** A program whose marks are known beforehand. */
export interface Known {
  readonly kind: 'stub' | 'solution' | 'variant' | 'mutant'
  /** Relative to the kit's folder, for messages. */
  readonly name: string
  readonly file: string
  /** The checks it must fail, exactly. */
  readonly fails: readonly string[]
}

/** A header that does not say what it must. */
export interface HeaderProblem { readonly name: string; readonly problem: string }

/** Every known program of an exercise: stub, solution, variants, mutants. */
export function knownPrograms(exercise: Exercise): { programs: Known[]; problems: HeaderProblem[] } {
  const solutions = exercise.solutionDir!
  const problems: HeaderProblem[] = []
  const fixed = (kind: 'stub' | 'solution', file: string): Known => ({ kind, name: shortName(file), file, fails: [] })
  const programs = [fixed('stub', path.join(exercise.dir, 'exercise.ts')), fixed('solution', path.join(solutions, 'solution.ts'))]
  for (const [folder, kind, story, loss] of [
    ['variants', 'variant', 'Way', 'Loses'],
    ['mutants', 'mutant', 'Mistake', 'Fails'],
  ] as const) {
    for (const file of filesIn(path.join(solutions, folder))) {
      const name = shortName(file)
      const header = readHeader(fs.readFileSync(file, 'utf8'))
      const fails = header.get(loss) ?? []
      if (!header.has(story)) problems.push({ name, problem: `starts with no "// ${story}:" that tells ${kind === 'mutant' ? 'what is wrong' : 'which way it goes'}` })
      if (kind === 'mutant' && fails.length === 0) problems.push({ name, problem: 'names no check it must fail: add "// Fails: <check id>"' })
      for (const id of fails) {
        if (!exercise.checks.some((check) => check.id === id)) problems.push({ name, problem: `names "${id}", which is no check of the rubric` })
      }
      programs.push({ kind, name, file, fails })
    }
  }
  return { programs, problems }
}

/** The comment lines at the top: `// Fails: a, b`, and again where a list goes on. */
export function readHeader(source: string): Map<string, string[]> {
  const header = new Map<string, string[]>()
  for (const line of source.split('\n')) {
    if (!line.startsWith('//')) break
    const [, word, rest] = /^\/\/ (Mistake|Fails|Way|Loses): (.+)$/.exec(line) ?? []
    if (!word || !rest) continue
    const values = word === 'Fails' || word === 'Loses' ? rest.split(',').map((id) => id.trim()).filter(Boolean) : [rest]
    header.set(word, [...(header.get(word) ?? []), ...values])
  }
  return header
}

function filesIn(folder: string): string[] {
  if (!fs.existsSync(folder)) return []
  return fs.readdirSync(folder).filter((name) => name.endsWith('.ts')).sort().map((name) => path.join(folder, name))
}

const kit = path.join(import.meta.dirname, '..', '..')
const shortName = (file: string): string => path.relative(kit, file)

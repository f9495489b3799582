import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { listExercises, type Exercise } from '#catalog/exercise.ts'
import { readSubmission } from '#catalog/submission.ts'
import { openGrader } from '#grade'
import type { ServiceKind } from '#services/services.ts'
import { readAhead } from '#static/analyse.ts'
import type { Graded } from '../grade.types.ts'
import { busyCores } from './busy.ts'
import { openJournals, type Work } from './journals.ts'
import { changedVerdicts, commonWithoutKiller, judgeKnown, withoutKiller } from './judge.ts'
import { knownPrograms, type Known } from './material.ts'

export interface SelfcheckOptions {
  readonly repeat: number
  /** Keeps every core loaded meanwhile. */
  readonly busy: boolean
  readonly services?: ServiceKind
  readonly onProgress: (done: number, of: number, name: string) => void
  /** Each difference as soon as it is seen. */
  readonly onProblem: (problem: string) => void
}

/** One row of the table. */
export interface ExerciseCheckup {
  readonly exercise: Exercise
  readonly checks: number
  readonly mutants: { readonly caught: number; readonly declared: number }
  readonly variants: { readonly right: number; readonly declared: number }
  readonly withoutKiller: readonly string[]
  /** `file: sentence`. */
  readonly problems: readonly string[]
}

export interface Checkup {
  readonly exercises: readonly ExerciseCheckup[]
  /** Problems of no single exercise. */
  readonly problems: readonly string[]
  /** Verdicts that were not the same every time. */
  readonly changed: readonly string[]
  readonly gradings: number
  /** How many of these an interrupted self-check had done before. */
  readonly before: number
}

/** How many submissions are graded side by side: some wait while others have the cores, and more of them where a load has those, too. */
const graders = (isBusy: boolean): number => os.availableParallelism() + (isBusy ? 4 : 1)

/** Grades programs whose marks are known, and tells every difference. Throws ServicesUnavailable. */
export async function selfcheck(exercises: readonly Exercise[], options: SelfcheckOptions): Promise<Checkup> {
  const material = exercises.map((exercise) => ({ exercise, ...knownPrograms(exercise) }))
  const work = dealt(await Promise.all(material.map(({ exercise, programs }) =>
    Promise.all(programs.map(async (known): Promise<Work> => ({ exercise, known, submission: await readSubmission(known.file, exercise) }))))))
  const first = new Map<Known, Graded>()
  const problemsOf = new Map<Known, Set<string>>(work.map(({ known }) => [known, new Set<string>()]))
  const changed: string[] = []
  const journals = options.repeat > 1 ? openJournals(work, options) : null
  let gradings = 0
  let before = 0

  for (const exercise of exercises) {
    options.onProgress(0, work.length * options.repeat, `reading ${exercise.slug}`)
    await readAhead(work.filter((one) => one.exercise === exercise).map(({ submission }) => submission))
  }
  const load = options.busy ? busyCores() : null
  const sideBySide = graders(options.busy)
  const grader = openGrader(sideBySide)
  const gradeOptions = options.services ? { services: options.services } : {}
  const gradeKnown = async ({ exercise, known, submission }: Work): Promise<Graded> => {
    const graded = await grader.grade(exercise, submission, gradeOptions)
    options.onProgress(++gradings, work.length * options.repeat, known.name)
    return graded
  }
  const conclude = (work: Work, graded: Graded, round: number): void => {
    // Without a verdict it is tried again by the command that goes on where this one was interrupted.
    if (graded.state !== 'not-graded') journals?.keep(round, work, graded)
    judge(work.known, graded, round)
  }
  const judge = (known: Known, graded: Graded, round: number): void => {
    for (const problem of judgeKnown(known, graded)) {
      problemsOf.get(known)!.add(problem)
      options.onProblem(`${known.name}: ${problem}`)
    }
    const earlier = first.get(known)
    if (!earlier) return void first.set(known, graded)
    for (const change of changedVerdicts(earlier, graded)) {
      changed.push(`${known.name}: round ${round}, ${change}`)
      options.onProblem(changed.at(-1)!)
    }
  }
  try {
    for (let round = 1; round <= options.repeat; round++) {
      const queue = work.filter((one) => {
        const graded = journals?.find(round, one)
        if (!graded) return true
        gradings++
        before++
        judge(one.known, graded, round)
        return false
      })
      const unsure: Work[] = []
      await Promise.all(Array.from({ length: sideBySide }, async () => {
        for (let next = queue.shift(); next; next = queue.shift()) {
          const graded = await gradeKnown(next)
          if (graded.state === 'not-graded') unsure.push(next)
          else conclude(next, graded, round)
        }
      }))
      // No verdict is no wrong verdict: what the machine was too busy for is graded again, with nothing beside it.
      for (const again of unsure) conclude(again, await gradeKnown(again), round)
    }
    journals?.remove()
  } finally {
    load?.()
    await grader.close()
  }
  const rows = material.map(({ exercise, programs, problems }): ExerciseCheckup => {
    const right = (kind: Known['kind']): { right: number; declared: number } => {
      const ofKind = programs.filter((known) => known.kind === kind)
      return { right: ofKind.filter((known) => problemsOf.get(known)!.size === 0).length, declared: ofKind.length }
    }
    const { right: caught, declared } = right('mutant')
    return {
      exercise, checks: exercise.checks.length, mutants: { caught, declared }, variants: right('variant'),
      withoutKiller: withoutKiller(exercise, programs),
      problems: [
        ...problems.map(({ name, problem }) => `${name}: ${problem}`),
        ...missingFiles(exercise),
        ...programs.flatMap((known) => [...problemsOf.get(known)!].map((problem) => `${known.name}: ${problem}`)),
      ],
    }
  })
  return { exercises: rows, problems: commonProblems(material), changed, gradings, before }
}

/** One of each in turn: while a Kafka exercise waits for its broker, a Redis exercise has the cores. */
function dealt<T>(hands: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...hands.map((hand) => hand.length))
  return Array.from({ length: longest }, (_, i) => hands.flatMap((hand) => hand.slice(i, i + 1))).flat()
}

/** Common checks must have a killer somewhere; asked only when the whole kit is looked at. */
function commonProblems(material: readonly { exercise: Exercise; programs: readonly Known[] }[]): string[] {
  if (material.length < listExercises().length) return []
  return commonWithoutKiller(material.map(({ exercise }) => exercise), material.flatMap(({ programs }) => programs))
    .map((id) => `exercises/common.rubric.yaml: no mutant of any exercise is declared to fail ${id}`)
}

/** Everything a learner reads exists in both languages and is shaped alike. */
function missingFiles(exercise: Exercise): string[] {
  const problems: string[] = []
  const file = (name: string): string => path.join(exercise.dir, name)
  const named = (name: string): string => `exercises/${exercise.slug}/${name}`
  for (const name of ['README.md', 'README.vi.md', 'hints.yaml', 'play.ts']) {
    if (!fs.existsSync(file(name))) problems.push(`${named(name)}: is missing`)
  }
  if (problems.length > 0) return problems
  const [en, vi] = ['README.md', 'README.vi.md'].map((name) => shape(fs.readFileSync(file(name), 'utf8')))
  if (en !== vi) problems.push(`${named('README.vi.md')}: has other sections, lists or code blocks than README.md (${vi} instead of ${en})`)
  if (exercise.hints.length !== 3) problems.push(`${named('hints.yaml')}: has ${exercise.hints.length} hints; three lead a learner on step by step`)
  return problems
}

function shape(markdown: string): string {
  const lines = markdown.split('\n')
  const count = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length
  return `${count(/^#/)} headings, ${count(/^\s*([-*]|\d+\.) /)} list items, ${count(/^```/) / 2} code blocks`
}

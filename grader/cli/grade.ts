import { join } from 'node:path'
import { Command } from 'commander'
import { CommandError } from '#catalog/command-error.ts'
import { findExercise, listExercises, type Exercise } from '#catalog/exercise.ts'
import { holdsExercises } from '#catalog/submission.ts'
import type { Lang } from '#catalog/text.ts'
import { solutionFile } from './exercise.ts'
import { gradeSubmissions, type Target } from './grading.ts'
import { startFolder } from './npm-flags.ts'
import { atMostOne, plainArguments, withGradingOptions, type GradingOptions } from './options.ts'
import { print } from './print.ts'

interface GradeOptions extends GradingOptions {
  readonly solutions?: true
}

/** `grade 1 6`, `grade`: several exercises at a glance. */
export function gradeCommand(lang: Lang): Command {
  const say = (en: string, vi: string) => ({ en, vi })[lang]
  const command = new Command('grade')
    .description(say('grade several exercises, or all of them', 'chấm nhiều bài tập, hoặc tất cả'))
    .argument('[names...]', say('numbers or names; all when none is given', 'số thứ tự hoặc tên; để trống là tất cả'))
    .option('--solutions', say('grade the reference solutions', 'chấm các lời giải tham khảo'))
  return withGradingOptions(command, lang).action(() => runGrade(command))
}

async function runGrade(command: Command): Promise<void> {
  const options = command.opts<GradeOptions>()
  const names = plainArguments(command)
  const exercises = names.length > 0 ? named(names) : listExercises()
  const results = await gradeSubmissions(targets(exercises, options), options)
  const { drawOverview } = await import('#report/overview.ts')
  process.exitCode = await print(results, options, (report, screen) => drawOverview(report, exercises, screen))
}

/** Named twice is meant once. */
function named(names: readonly string[]): Exercise[] {
  const bySlug = new Map(names.map((name) => findExercise(name)).map((exercise) => [exercise.slug, exercise]))
  return [...bySlug.values()].toSorted((a, b) => a.number - b.number)
}

function targets(exercises: readonly Exercise[], { submission, solutions }: GradeOptions): Target[] {
  atMostOne({ '--solutions': solutions, '--submission': submission })
  if (!submission) {
    const fileOf = (exercise: Exercise) =>
      solutions ? solutionFile(exercise, 'solution.ts') : join(exercise.dir, 'exercise.ts')
    return [{ path: null, exercises, fileOf }]
  }
  const from = startFolder()
  const single = submission.find((path) => !holdsExercises(path, from))
  if (exercises.length > 1 && single !== undefined) throw whichExercise(single)
  return submission.map((path) => ({ path, from, exercises }))
}

function whichExercise(path: string): CommandError {
  return new CommandError({
    en: `Which exercise is ${path}? For example: npm run grade 6 -- --submission ${path}`,
    vi: `${path} là bài nào? Ví dụ: npm run grade 6 -- --submission ${path}`,
  })
}

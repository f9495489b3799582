import { join } from 'node:path'
import { Command } from 'commander'
import { CommandError } from '#catalog/command-error.ts'
import { findExercise, type Exercise } from '#catalog/exercise.ts'
import type { Lang } from '#catalog/text.ts'
import { gradeSubmissions, type Target } from './grading.ts'
import { nextHint } from './hints.ts'
import { startFolder } from './npm-flags.ts'
import { atMostOne, plainArguments, withGradingOptions, type GradingOptions } from './options.ts'
import { print } from './print.ts'

interface ExerciseOptions extends GradingOptions {
  readonly solution?: true
  readonly tutorial?: true
  readonly hint?: true
}

/** `exercise 6`: one exercise graded, in full. */
export function exerciseCommand(lang: Lang): Command {
  const say = (en: string, vi: string) => ({ en, vi })[lang]
  const command = new Command('exercise')
    .description(say('grade one exercise and show what to do next', 'chấm một bài tập và chỉ ra bước tiếp theo'))
    .argument('[name]', say('its number, name, or the beginning of its name', 'số thứ tự, tên, hoặc phần đầu của tên'))
    .option('--solution', say('grade the reference solution', 'chấm lời giải tham khảo'))
    .option('--tutorial', say('grade what most tutorials print', 'chấm đoạn mã thường gặp trong các bài hướng dẫn'))
    .option('--hint', say('show the next hint', 'xem gợi ý tiếp theo'))
  return withGradingOptions(command, lang).action(() => runExercise(command))
}

async function runExercise(command: Command): Promise<void> {
  const options = command.opts<ExerciseOptions>()
  const exercise = findExercise(oneName(plainArguments(command)))
  if (options.hint) {
    process.stdout.write(nextHint(exercise, options.lang))
    return
  }
  const results = await gradeSubmissions(targets(exercise, options), options)
  const { drawExercise } = await import('#report/terminal.ts')
  process.exitCode = await print(results, options, ({ exercises: [report] }, screen) => {
    return drawExercise(report!, exercise, screen)
  })
}

function oneName(names: readonly string[]): string {
  const [name, second] = names
  if (name === undefined) {
    throw new CommandError({
      en: 'Which exercise? For example: npm run exercise 6',
      vi: 'Bạn muốn chấm bài nào? Ví dụ: npm run exercise 6',
    })
  }
  if (second !== undefined) {
    throw new CommandError({
      en: `exercise grades one at a time. For several: npm run grade ${names.join(' ')}`,
      vi: `exercise chỉ chấm từng bài. Để chấm nhiều bài: npm run grade ${names.join(' ')}`,
    })
  }
  return name
}

function targets(exercise: Exercise, options: ExerciseOptions): Target[] {
  const { solution, tutorial, submission } = options
  atMostOne({ '--solution': solution, '--tutorial': tutorial, '--submission': submission })
  const exercises = [exercise]
  if (submission) return submission.map((path) => ({ path, from: startFolder(), exercises }))
  return [{ path: null, exercises, fileOf: () => ownFile(exercise, options) }]
}

function ownFile(exercise: Exercise, { solution, tutorial }: ExerciseOptions): string {
  if (!solution && !tutorial) return join(exercise.dir, 'exercise.ts')
  return solutionFile(exercise, tutorial ? 'mutants/tutorial.ts' : 'solution.ts')
}

/** A file beside the solution, which a handout does not have. */
export function solutionFile({ solutionDir, slug }: Exercise, file: string): string {
  if (solutionDir !== null) return join(solutionDir, file)
  throw new CommandError({
    en: `solutions/${slug} is not here: what was handed out has no solutions. Grade your own: npm run exercise ${slug}`,
    vi: `Không có solutions/${slug}: bộ bài phát không kèm lời giải. Hãy chấm bài của bạn: npm run exercise ${slug}`,
  })
}

import { Command } from 'commander'
import { CommandError } from '#catalog/command-error.ts'
import { findExercise, listExercises } from '#catalog/exercise.ts'
import type { ServiceKind } from '#services/services.ts'
import type { Checkup } from '#selfcheck/selfcheck.ts'

interface Options {
  readonly repeat: string
  readonly busy?: true
  readonly services?: ServiceKind
}

/** `selfcheck [n…]`: grades the grader with programs whose marks are known. For authors, in English. */
export function selfcheckCommand(): Command {
  return new Command('selfcheck')
    .description('grade the grader: stubs, solutions, variants and mutants')
    .argument('[names...]', 'exercises; all of them without')
    .option('--repeat <times>', 'grade everything so often and list every verdict that changed', '1')
    .option('--busy', 'keep every core loaded meanwhile')
    .option('--services <kind>', 'external, containers or processes')
    .action(runSelfcheck)
}

async function runSelfcheck(names: string[], options: Options): Promise<void> {
  const repeat = Number(options.repeat)
  if (!Number.isSafeInteger(repeat) || repeat < 1) {
    throw new CommandError({
      en: `--repeat takes a whole number from 1, not "${options.repeat}". Try: npm run selfcheck -- --repeat 3`,
      vi: `--repeat nhận số nguyên từ 1, không phải "${options.repeat}". Thử: npm run selfcheck -- --repeat 3`,
    })
  }
  const exercises = names.length > 0 ? names.map((name) => findExercise(name)) : listExercises()
  const { selfcheck } = await import('#selfcheck/selfcheck.ts')
  const started = performance.now()
  const checkup = await selfcheck(exercises, {
    repeat,
    busy: options.busy === true,
    ...(options.services && { services: options.services }),
    onProgress: (done, of, name) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${`${done}/${of}  ${name}`.slice(0, (process.stderr.columns ?? 80) - 1)}`)
      else if (done > 0 && done % 100 === 0) process.stderr.write(`${done} of ${of} graded\n`)
    },
    // A round of the whole kit takes minutes: nobody should have to wait for its end to hear of the first.
    onProblem: (problem) => process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[K' : ''}${problem}\n`),
  })
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  process.stdout.write(draw(checkup, (performance.now() - started) / 1000))
  const problems = checkup.problems.length + checkup.exercises.reduce((sum, row) => sum + row.problems.length + row.withoutKiller.length, 0)
  process.exitCode = problems + checkup.changed.length > 0 ? 1 : 0
}

function draw({ exercises, problems, changed, gradings, before }: Checkup, seconds: number): string {
  const width = Math.max(...exercises.map(({ exercise }) => exercise.slug.length), 'exercise'.length)
  const lines = [`${'exercise'.padEnd(width)}   checks   mutants caught   variants right   without a killer`]
  for (const { exercise, checks, mutants, variants, withoutKiller } of exercises) {
    lines.push([
      exercise.slug.padEnd(width), String(checks).padStart(6), `${mutants.caught} / ${mutants.declared}`.padStart(14),
      `${variants.right} / ${variants.declared}`.padStart(14), String(withoutKiller.length).padStart(16),
    ].join('   '))
  }
  const list = (title: string, items: readonly string[]): void => {
    if (items.length > 0) lines.push('', title, ...items.map((item) => `  ${item}`))
  }
  list('Wrong:', [...problems, ...exercises.flatMap((row) => row.problems)])
  list('Checks that no mutant is declared to fail (write the mistake they are there for):',
    exercises.flatMap(({ exercise, withoutKiller }) => withoutKiller.map((id) => `${exercise.slug}: ${id}`)))
  list('Verdicts that changed:', changed)
  const all = exercises.reduce((sum, { mutants }) => sum + mutants.declared, 0)
  const now = before > 0 ? `, the last ${gradings - before}` : ''
  lines.push('', `${gradings} gradings of ${all} mutants and their kin${now} in ${seconds.toFixed(1)} s`)
  return `${lines.join('\n')}\n`
}

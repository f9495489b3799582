import { Command, CommanderError } from 'commander'
import { CommandError } from '#catalog/command-error.ts'
import { nearest } from '#catalog/nearest.ts'
import type { Lang, Text } from '#catalog/text.ts'
import { exitCode, explain } from './failure.ts'
import { languageOf } from './language.ts'
import { flagsKeptByNpm, withoutStrayLanguage } from './npm-flags.ts'

/** Runs one command line and resolves to its exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  let lang = languageOf(argv)
  try {
    const args = [...withoutStrayLanguage(argv), ...flagsKeptByNpm(argv)]
    lang = languageOf(args)
    const program = await buildProgram(args, lang)
    if (args.length === 0) program.outputHelp()
    else await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    process.stderr.write(await explain(error, lang))
    return await exitCode(error)
  }
}

/** For an error that nobody awaited: Node would print its stack and exit with 1, the code of a grade below 100. */
export function fail(error: unknown): void {
  void explain(error, languageOf(process.argv.slice(2))).then((text) => process.stderr.write(text, () => process.exit(3)))
}

interface Entry {
  readonly summary: Text
  readonly load: (lang: Lang) => Promise<Command>
}

/** A command's code is loaded only when it is the one called. */
export const commands: Readonly<Record<string, Entry>> = {
  exercise: {
    summary: { en: 'grade one exercise and show what to do next', vi: 'chấm một bài tập và chỉ ra bước tiếp theo' },
    load: async (lang) => (await import('./exercise.ts')).exerciseCommand(lang),
  },
  grade: {
    summary: { en: 'grade several exercises, or all of them', vi: 'chấm nhiều bài tập, hoặc tất cả' },
    load: async (lang) => (await import('./grade.ts')).gradeCommand(lang),
  },
  play: {
    summary: { en: 'run the scratch program of an exercise on live services', vi: 'chạy chương trình nháp của bài tập trên dịch vụ thật' },
    load: async (lang) => (await import('./play.ts')).playCommand(lang),
  },
  solutions: {
    summary: { en: 'put solutions in the place of stubs, and back', vi: 'thay khung mã bằng lời giải, và ngược lại' },
    load: async (lang) => (await import('./solutions.ts')).solutionsCommand(lang),
  },
  services: {
    summary: { en: 'start, stop or look at Redis and Kafka', vi: 'khởi động, dừng hoặc xem Redis và Kafka' },
    load: async () => (await import('./services.ts')).servicesCommand(),
  },
  selfcheck: {
    summary: { en: 'grade the grader', vi: 'kiểm tra chính bộ chấm' },
    load: async () => (await import('./selfcheck.ts')).selfcheckCommand(),
  },
}

async function buildProgram(args: readonly string[], lang: Lang): Promise<Command> {
  const program = inLanguage(new Command('redis-kafka-kit'), lang)
    .option('--lang <language>', 'en | vi')
    // What stands behind a command's name belongs to the command.
    .enablePositionalOptions()
  const called = args[0]?.startsWith('-') ? undefined : args[0]
  if (called !== undefined && !(called in commands) && called !== 'help') throw unknownCommand(called)
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = name === called ? await load(lang) : new Command(name).description(summary[lang])
    program.addCommand(inLanguage(command, lang))
  }
  return program
}

/** Errors are thrown, and worded by us; help screens speak the person's language. */
function inLanguage(command: Command, lang: Lang): Command {
  command.exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} })
  if (lang === 'vi') {
    command.configureHelp({ styleTitle: (title) => vietnamese[title] ?? title })
    command.helpOption('-h, --help', 'xem hướng dẫn của lệnh')
    command.helpCommand(false)
  }
  return command
}

const vietnamese: Readonly<Record<string, string>> = {
  'Usage:': 'Cách dùng:',
  'Arguments:': 'Tham số:',
  'Options:': 'Tùy chọn:',
  'Commands:': 'Các lệnh:',
}

function unknownCommand(name: string): CommandError {
  const meant = nearest(name, Object.keys(commands))
  const list = Object.keys(commands).join(', ')
  return new CommandError({
    en: `There is no command "${name}". ${meant ? `Did you mean: npm run ${meant}` : `There are: ${list}.`}`,
    vi: `Không có lệnh "${name}". ${meant ? `Có phải ý bạn là: npm run ${meant}` : `Các lệnh hiện có: ${list}.`}`,
  })
}

import { Command, Option } from 'commander'
import { CommandError } from '#catalog/command-error.ts'
import { nearest } from '#catalog/nearest.ts'
import type { Lang } from '#catalog/text.ts'
import type { ServiceKind } from '#services/services.ts'
import { systemLanguage } from './language.ts'

/** What `exercise` and `grade` both understand. */
export interface GradingOptions {
  readonly json?: true
  readonly submission?: readonly string[]
  readonly lang: Lang
  readonly services?: ServiceKind
}

export function withGradingOptions(command: Command, lang: Lang): Command {
  const say = (en: string, vi: string) => ({ en, vi })[lang]
  return command
    .option('--json', say('print the report as one JSON document', 'in báo cáo thành một tài liệu JSON'))
    .addOption(
      new Option(
        '--submission <path>',
        say('grade PATH instead of exercises/; may be repeated', 'chấm PATH thay cho exercises/; có thể lặp lại'),
      ).argParser((path: string, paths: string[] | undefined) => [...(paths ?? []), path]),
    )
    .addOption(
      new Option('--lang <language>', say('language of the report', 'ngôn ngữ của báo cáo'))
        .choices(['en', 'vi'])
        .default(systemLanguage()),
    )
    .addOption(
      new Option('--services <kind>', say('where Redis and Kafka come from', 'Redis và Kafka lấy từ đâu'))
        .choices(['external', 'containers', 'processes']),
    )
    // Refused below, with the nearest flag and in both languages.
    .allowUnknownOption()
    .allowExcessArguments()
}

/** The arguments that are no flags. Throws CommandError for a flag nobody knows. */
export function plainArguments(command: Command): string[] {
  const unknown = command.args.find((arg) => arg.startsWith('-'))
  if (unknown === undefined) return [...command.args]
  const known = command.options.flatMap(({ long }) => long ?? [])
  const flag = unknown.split('=')[0]!
  const meant = nearest(flag, known)
  const help = `npm run ${command.name()} -- --help`
  throw new CommandError({
    en: `${command.name()} has no flag ${flag}. ${meant ? `Did you mean ${meant}? ` : ''}All of them: ${help}`,
    vi: `Lệnh ${command.name()} không có cờ ${flag}. ${meant ? `Có phải ý bạn là ${meant}? ` : ''}Xem tất cả: ${help}`,
  })
}

/** Throws CommandError when more than one says what to grade. */
export function atMostOne(given: Readonly<Record<string, unknown>>): void {
  const [first, second] = Object.entries(given).filter(([, value]) => value !== undefined).map(([flag]) => flag)
  if (second === undefined) return
  throw new CommandError({
    en: `${first} and ${second} both say what to grade. Keep one of them.`,
    vi: `${first} và ${second} đều chỉ ra bài cần chấm. Chỉ giữ một cờ.`,
  })
}

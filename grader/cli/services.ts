import { Command, Option } from 'commander'
import { CommandError } from '#catalog/command-error.ts'
import { nearest } from '#catalog/nearest.ts'
import type { Lang, Text } from '#catalog/text.ts'
import { endResident } from '#resident/call.ts'
import type { RunningService } from '#services/keeper/protocol.ts'
import { acquire, down, serviceKinds, status, type ServiceKind } from '#services/services.ts'
import { languageOf, say } from './language.ts'

/** `services up|down|status`. Throws CommandError for a wrong name, ServicesUnavailable when one cannot be had. */
export function servicesCommand(lang: Lang = languageOf(process.argv)): Command {
  const text = (en: string, vi: string) => ({ en, vi })[lang]
  const language = new Option('--lang <language>', text('language of the output', 'ngôn ngữ hiển thị'))
    .choices(['en', 'vi'])
  const command = new Command('services')
    .description(text('start, stop or look at Redis and Kafka', 'khởi động, dừng hoặc xem Redis và Kafka'))
    .addOption(language)
    .allowExcessArguments()
    .action(() => {
      if (command.args.length > 0) throw unknownAction(command.args[0])
      return showStatus(lang)
    })
  command.command('up [names...]')
    .description(text('start redis, kafka, or both', 'khởi động redis, kafka hoặc cả hai'))
    .addOption(new Option('--services <kind>', text('where from', 'lấy từ đâu')).choices(serviceKinds))
    .action((names: string[], { services }: { services?: ServiceKind }) => up(names, services, lang))
  command.command('down')
    .description(text('stop everything the kit has started', 'dừng mọi dịch vụ mà bộ bài tập đã khởi động'))
    .action(() => stop(lang))
  command.command('status')
    .description(text('what is running', 'xem những gì đang chạy'))
    .action(() => showStatus(lang))
  // Errors are thrown, as the main command does it, and worded there.
  for (const part of command.commands) {
    part.addOption(language).exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} })
  }
  return command
}

const known = ['redis', 'kafka']

async function up(names: string[], kind: ServiceKind | undefined, lang: Lang): Promise<void> {
  const wrong = names.find((name) => !known.includes(name))
  if (wrong !== undefined) throw unknownService(wrong)
  const wanted = names.length > 0 ? names : known
  const need = { redis: wanted.includes('redis') ? 1 : 0, kafka: wanted.includes('kafka') }
  const started = performance.now()
  const lease = await acquire(need, { kind, onProgress: (message) => say(message, lang) })
  const took = `${((performance.now() - started) / 1000).toFixed(1)} s`
  await lease.release()
  const ready = [
    ...lease.redis.map(({ version, from }) => ['Redis', version, from]),
    ...lease.kafka ? [['Kafka', lease.kafka.version, lease.kafka.from]] : [],
  ]
  print(ready.map((row) => [...row, { en: `ready (${took})`, vi: `sẵn sàng (${took})` }[lang]]))
}

async function stop(lang: Lang): Promise<void> {
  await endResident()
  await down()
  print([[{ en: 'Nothing of the kit runs any more.', vi: 'Không còn dịch vụ nào của bộ bài tập đang chạy.' }[lang]]])
}

async function showStatus(lang: Lang): Promise<void> {
  const { keeper } = await status()
  const yours = [['Redis', 'REDIS_URL'], ['Kafka', 'KAFKA_BROKERS']]
    .filter(([, variable]) => process.env[variable])
    .map(([name, variable]) => [name, variable, 'external'])
  const running = keeper ? [...rows('Redis', keeper.redis, lang), ...rows('Kafka', keeper.kafka, lang)] : []
  if (yours.length + running.length === 0) {
    return print([[{
      en: 'Nothing runs. To start Redis and Kafka: npm run services up',
      vi: 'Chưa có dịch vụ nào chạy. Để khởi động Redis và Kafka: npm run services up',
    }[lang]]])
  }
  print([...yours, ...running])
  if (keeper && keeper.stopsInMs !== null) print([[stopping(keeper.stopsInMs)[lang]]])
}

/** One line for each kind: a dozen servers of a pool are of interest to nobody one by one. */
function rows(name: string, services: readonly RunningService[], lang: Lang): string[][] {
  return [...Map.groupBy(services, ({ from, version }) => `${version} ${from}`).values()].map((group) => {
    const [{ version, from, address }] = group
    const leased = group.filter((service) => service.leased).length
    const where = group.length > 1 ? { en: `${group.length} servers`, vi: `${group.length} server` }[lang] : address
    return [name, version, from, where, { en: `${leased} in use`, vi: `${leased} đang dùng` }[lang]]
  })
}

function stopping(ms: number): Text {
  const minutes = Math.ceil(ms / 60_000)
  return {
    en: `Stops by itself in ${minutes} min when nothing uses it; at once with: npm run services down`,
    vi: `Tự dừng sau ${minutes} phút nếu không có gì dùng đến; dừng ngay: npm run services down`,
  }
}

function unknownAction(name: string): CommandError {
  const meant = nearest(name, ['up', 'down', 'status']) ?? 'status'
  return new CommandError({
    en: `"services ${name}" does not exist; there are up, down and status. Try: npm run services ${meant}`,
    vi: `Không có "services ${name}"; chỉ có up, down và status. Hãy thử: npm run services ${meant}`,
  })
}

function unknownService(name: string): CommandError {
  const meant = nearest(name, known)
  return new CommandError({
    en: `There is no service "${name}"; there are redis and kafka. Try: npm run services up ${meant ?? ''}`.trimEnd(),
    vi: `Không có dịch vụ "${name}"; chỉ có redis và kafka. Hãy thử: npm run services up ${meant ?? ''}`.trimEnd(),
  })
}

function print(lines: readonly (readonly string[])[]): void {
  const widths = [...Array(Math.max(...lines.map((line) => line.length))).keys()]
    .map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  for (const line of lines) {
    process.stdout.write(`${line.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()}\n`)
  }
}

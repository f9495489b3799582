import type { Text } from '#catalog/text.ts'
import type { Step } from '#scoring/outcome.ts'
import type { KafkaWire } from '#wire/kafka-wire.ts'
import { show, type Command, type RedisWire } from '#wire/redis-wire.ts'
import { showCommand, showReply } from '#wire/resp.ts'
import { both } from './verdicts.ts'

export interface Traffic { readonly lanes: Text[]; readonly steps: Step[] }

/** The learner's own commands or requests, where a check has no better timeline: the last few of each client. */
export function ownTraffic(redis: readonly RedisWire[], kafka: readonly KafkaWire[]): Traffic {
  const commands = columns(redis.map((wire) => commandsOf(wire.commands()).slice(-8)), both('your commands', 'các lệnh của bạn'))
  return commands.steps.length > 0 ? commands : columns(kafka.map((wire) => requestsOf(wire).slice(-10)), both('your requests', 'các request của bạn'))
}

type Entry = Omit<Step, 'lane'>

/** A column for each client that sent anything, three at most. */
function columns(clients: readonly (readonly Entry[])[], only: Text): Traffic {
  const used = clients.filter((entries) => entries.length > 0).slice(0, 3)
  return {
    lanes: used.map((_, i) => (used.length === 1 ? only : both(`client ${i + 1}`, `client ${i + 1}`))),
    steps: used.flatMap((entries, lane) => entries.map((entry): Step => ({ lane, ...entry }))),
  }
}

/** So many commands of one kind in a row are one line: each by itself would hide what came before. */
const MANY = 4

/** Commands in their order; many of one name on one key that follow each other are counted: `ZCARD board × 50`. */
export function commandsOf(commands: readonly Command[]): Entry[] {
  return grouped(commands, ({ name, words, fate }) => `${name} ${String(words[1])} ${markOf(fate)}`)
    .flatMap((group) => (group.length < MANY ? group.map(entryOf) : [entryOfMany(group)]))
}

const entryOf = (command: Command): Entry =>
  ({ text: show(command), reply: command.reply && showReply(command.reply).slice(0, 80), mark: markOf(command.fate) })

function entryOfMany(group: readonly Command[]): Entry {
  const entries = group.map(entryOf)
  const [first, last] = [entries[0]!, entries.at(-1)!]
  const text = entries.every((entry) => entry.text === first.text) ? first.text : `${showCommand(group[0]!.words.slice(0, 2))} …`
  const replies = entries.every(({ reply }) => reply === first.reply) ? first.reply : `${first.reply ?? ''} … ${last.reply ?? ''}`
  return { text: `${text} × ${group.length}`, reply: replies, mark: first.mark }
}

/** What every client of Kafka sends, whatever its program does. */
const ROUTINE: ReadonlySet<string> = new Set(['ApiVersions', 'Metadata', 'FindCoordinator', 'ListOffsets', 'Heartbeat'])

/** Requests in their order; equal ones that follow each other are counted: `Fetch × 7`. */
function requestsOf(wire: KafkaWire): Entry[] {
  return grouped(wire.log.filter(({ api }) => !ROUTINE.has(api)), ({ api, fate }) => `${api} ${markOf(fate)}`).map((group) => ({
    text: group.length === 1 ? group[0]!.api : `${group[0]!.api} × ${group.length}`,
    reply: group.every(({ answered }) => answered) ? '✓' : '…',
    mark: markOf(group[0]!.fate),
  }))
}

/** Neighbours that are of one kind, together. */
function grouped<T>(all: readonly T[], kindOf: (one: T) => string): T[][] {
  const groups: T[][] = []
  for (const one of all) {
    const last = groups.at(-1)
    if (last && kindOf(last[0]!) === kindOf(one)) last.push(one)
    else groups.push([one])
  }
  return groups
}

function markOf(fate: string | null): Step['mark'] {
  return fate === 'cut' || fate === 'lost' ? fate : null
}

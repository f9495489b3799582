import type { Text } from '#catalog/text.ts'
import type { Step } from '#scoring/outcome.ts'
import type { KafkaRequest, KafkaWire } from '#wire/kafka-wire.ts'
import { show, type RedisWire } from '#wire/redis-wire.ts'
import { showReply } from '#wire/resp.ts'
import { both } from './verdicts.ts'

export interface Traffic { readonly lanes: Text[]; readonly steps: Step[] }

/** The learner's own commands or requests, where a check has no better timeline: the last few of each client. */
export function ownTraffic(redis: readonly RedisWire[], kafka: readonly KafkaWire[]): Traffic {
  const commands = columns(redis.map((wire) => wire.commands().slice(-8).map((command) => ({
    text: show(command), reply: command.reply && showReply(command.reply).slice(0, 80), mark: markOf(command.fate),
  }))), both('your commands', 'các lệnh của bạn'))
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

/** What every client of Kafka sends, whatever its program does. */
const ROUTINE: ReadonlySet<string> = new Set(['ApiVersions', 'Metadata', 'FindCoordinator', 'ListOffsets', 'Heartbeat'])

/** Requests in their order; equal ones that follow each other are counted: `Fetch × 7`. */
function requestsOf(wire: KafkaWire): Entry[] {
  const groups: KafkaRequest[][] = []
  for (const request of wire.log.filter(({ api }) => !ROUTINE.has(api))) {
    const [last] = groups.slice(-1)
    if (last && last[0]!.api === request.api && markOf(last[0]!.fate) === markOf(request.fate)) last.push(request)
    else groups.push([request])
  }
  return groups.map((group) => ({
    text: group.length === 1 ? group[0]!.api : `${group[0]!.api} × ${group.length}`,
    reply: group.every(({ answered }) => answered) ? '✓' : '…',
    mark: markOf(group[0]!.fate),
  }))
}

function markOf(fate: string | null): Step['mark'] {
  return fate === 'cut' || fate === 'lost' ? fate : null
}

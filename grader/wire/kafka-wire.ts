import { writeTogether } from '../write-together.ts'
import { openRelay, type Awaitable, type Relay } from './relay.ts'

/** Requests by API key: https://kafka.apache.org/protocol#protocol_api_keys */
export const API = {
  Produce: 0, Fetch: 1, ListOffsets: 2, Metadata: 3, OffsetCommit: 8, OffsetFetch: 9, FindCoordinator: 10, JoinGroup: 11,
  Heartbeat: 12, LeaveGroup: 13, SyncGroup: 14, DescribeGroups: 15, ApiVersions: 18, CreateTopics: 19, InitProducerId: 22, OffsetForLeaderEpoch: 23,
  AddPartitionsToTxn: 24, AddOffsetsToTxn: 25, EndTxn: 26, TxnOffsetCommit: 28,
} as const

export type ApiName = keyof typeof API

const NAMES = new Map<number, ApiName>(Object.entries(API).map(([name, key]) => [key, name as ApiName]))

/** One request of the learner's client. */
export interface KafkaRequest {
  readonly connection: number
  readonly api: ApiName
  readonly version: number
  readonly correlation: number
  /** The body, after the header. */
  readonly body: Buffer
  answered: boolean
  fate: 'passed' | 'cut' | 'lost' | null
}

export type KafkaGate = (request: KafkaRequest) => Awaitable<'pass' | 'cut'>
export type KafkaReplyGate = (request: KafkaRequest) => Awaitable<'pass' | 'lose'>

/**
 * A unix socket that stands for the whole cluster towards one learner client.
 * Only what a producer, a consumer, a lag reader and who makes sure of a topic need passes; lists of all topics or
 * groups do not, so that the random names of one check cannot be found by another.
 */
export interface KafkaWire extends Relay {
  /** Everything sent since the last `forget`. */
  readonly log: readonly KafkaRequest[]
  requests(api: ApiName): KafkaRequest[]
  /** What the broker has yet to answer, on connections that still stand. */
  readonly underWay: ReadonlySet<KafkaRequest>
  forget(): void
  gate: KafkaGate | null
  replyGate: KafkaReplyGate | null
}

export async function openKafkaWire(socket: string, broker: { host: string; port: number }): Promise<KafkaWire> {
  const log: KafkaRequest[] = []
  const underWay = new Set<KafkaRequest>()

  const relay = await openRelay(socket, broker, (link) => {
    const { client, target } = link
    const waiting = new Map<number, KafkaRequest>()
    let forwarding = Promise.resolve()
    let answering = Promise.resolve()

    const forward = async (request: KafkaRequest, raw: Buffer): Promise<void> => {
      const verdict = wire.gate ? await wire.gate(request) : 'pass'
      request.fate = verdict === 'cut' ? 'cut' : 'passed'
      if (verdict === 'cut') return link.destroy()
      waiting.set(request.correlation, request)
      writeTogether(target, raw)
    }
    const answer = async (raw: Buffer, request: KafkaRequest | undefined, verdict: Awaitable<'pass' | 'lose'>): Promise<void> => {
      if ((await verdict) === 'lose') {
        request!.fate = 'lost'
        return link.destroy()
      }
      writeTogether(client, raw)
    }

    const readRequests = sizedFrames()
    const readReplies = sizedFrames()
    client.on('data', (chunk: Buffer) => {
      for (const raw of readRequests(chunk) ?? [null]) {
        const request = raw && parseRequest(link.connection, raw)
        if (!request || !confined(request)) return link.destroy()
        log.push(request)
        if (expectsReply(request)) underWay.add(request)
        forwarding = forwarding.then(() => forward(request, raw))
      }
    })
    client.on('close', () => {
      for (const request of underWay) if (request.connection === link.connection) underWay.delete(request)
    })
    target.on('data', (chunk: Buffer) => {
      for (const raw of readReplies(chunk) ?? []) {
        const request = waiting.get(raw.readInt32BE(4))
        if (request) {
          waiting.delete(request.correlation)
          request.answered = true
          underWay.delete(request)
        }
        const verdict = request && wire.replyGate ? wire.replyGate(request) : 'pass'
        answering = answering.then(() => answer(raw, request, verdict))
      }
    })
  })

  const wire: KafkaWire = {
    ...relay,
    log,
    underWay,
    requests: (api) => log.filter((request) => request.api === api),
    forget: () => { log.length = 0 },
    gate: null,
    replyGate: null,
  }
  return wire
}

/** The acknowledgements a Produce request asks for: 0, 1 or -1 (all in-sync replicas). */
export function producedAcks(request: KafkaRequest): number {
  if (request.version < 3) return request.body.readInt16BE(0)
  const transactionalId = request.body.readInt16BE(0)
  return request.body.readInt16BE(2 + Math.max(0, transactionalId))
}

/** All requests get a reply, but a Produce that asks for no acknowledgement. */
const expectsReply = (request: KafkaRequest): boolean => request.api !== 'Produce' || producedAcks(request) !== 0

/** The topics a Metadata request names. */
export function metadataTopics(request: KafkaRequest): string[] {
  const names: string[] = []
  let at = 4
  for (let left = request.body.readInt32BE(0); left > 0; left--) {
    const size = request.body.readInt16BE(at)
    names.push(request.body.toString('utf8', at + 2, at + 2 + size))
    at += 2 + size
  }
  return names
}

/** Splits a stream into frames (size included); null when a size is absurd. */
function sizedFrames(): (chunk: Buffer) => Buffer[] | null {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const frames: Buffer[] = []
    while (rest.length >= 4) {
      const size = rest.readInt32BE(0)
      if (size < 4 || size > 64 << 20) return null
      if (rest.length < 4 + size) break
      frames.push(rest.subarray(0, 4 + size))
      rest = rest.subarray(4 + size)
    }
    return frames
  }
}

function parseRequest(connection: number, raw: Buffer): KafkaRequest | null {
  const api = raw.length >= 14 ? NAMES.get(raw.readInt16BE(4)) : undefined
  if (api === undefined) return null
  const clientId = Math.max(0, raw.readInt16BE(12))
  return {
    connection, api, version: raw.readInt16BE(6), correlation: raw.readInt32BE(8),
    body: raw.subarray(14 + clientId), answered: false, fate: null,
  }
}

/**
 * Keeps a Metadata request to the topics it names. kafkajs asks for all of them when it has none in mind
 * (a null array): an empty list answers that as well. Before version 1 an empty list meant all.
 */
function confined(request: KafkaRequest): boolean {
  if (request.api !== 'Metadata') return true
  const count = request.body.readInt32BE(0)
  if (request.version === 0) return count > 0
  if (count < 0) request.body.writeInt32BE(0, 0)
  return true
}

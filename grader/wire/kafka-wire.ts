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
 * Only what a producer, a consumer, a lag reader and who makes sure of a topic need passes. A list of all topics holds
 * those of the check alone, and one of groups does not pass: the random names of one check cannot be found by another.
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

/** `topics`: what a list of all topics holds; each of them exists. */
export async function openKafkaWire(
  socket: string, broker: { host: string; port: number }, topics: ReadonlySet<string> = new Set(),
): Promise<KafkaWire> {
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
        const confined = request && confine(request, raw, topics)
        if (!confined) return link.destroy()
        log.push(request)
        if (expectsReply(request)) underWay.add(request)
        forwarding = forwarding.then(() => forward(request, confined))
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

/** The topics that a request asks about, or the first of those it would create. */
export function namedTopics({ api, body }: KafkaRequest): string[] {
  if (api === 'CreateTopics') return strings(body, Math.min(1, body.readInt32BE(0)))
  return api === 'Metadata' ? strings(body, body.readInt32BE(0)) : []
}

/** `count` strings, behind a number of four bytes. */
function strings(body: Buffer, count: number): string[] {
  const found: string[] = []
  for (let at = 4; found.length < count;) {
    const size = body.readInt16BE(at)
    found.push(body.toString('utf8', at + 2, at + 2 + size))
    at += 2 + size
  }
  return found
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
 * A Metadata request for all topics becomes one for `topics`. kafkajs sends one (a null array) for a list of topics, and
 * whenever it has none in mind. Before version 1 an empty list meant all: null, which nobody passes.
 */
function confine(request: KafkaRequest, raw: Buffer, topics: ReadonlySet<string>): Buffer | null {
  if (request.api !== 'Metadata') return raw
  const count = request.body.readInt32BE(0)
  if (request.version === 0) return count > 0 ? raw : null
  if (count >= 0) return raw
  const names = [...topics].map((name) => Buffer.from(name))
  const list = Buffer.alloc(4 + names.reduce((size, name) => size + 2 + name.length, 0))
  let at = list.writeInt32BE(names.length)
  for (const name of names) at = list.writeInt16BE(name.length, at) + name.copy(list, at + 2)
  const frame = Buffer.concat([raw.subarray(0, raw.length - request.body.length), list, request.body.subarray(4)])
  frame.writeInt32BE(frame.length - 4)
  return frame
}

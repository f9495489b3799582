import type net from 'node:net'
import type { Login, RedisEndpoint } from '#services/services.ts'
import { writeTogether } from '../write-together.ts'
import { openRelay, type Awaitable, type Relay } from './relay.ts'
import { frameReader, parseReply, parseRequest, showCommand, type Reply } from './resp.ts'

/** Where a wire's connections end, and as whom they work there. */
export type RedisUpstream = Pick<RedisEndpoint, 'address' | 'database' | 'admin' | 'learner'>

/** One command the learner's client sent. */
export interface Command {
  readonly connection: number
  readonly words: readonly Buffer[]
  /** Upper case: `ZADD`. */
  readonly name: string
  /** Part of making a connection (HELLO, CLIENT SETINFO, …), not of the call. */
  readonly handshake: boolean
  reply: Reply | null
  /** What the grader did to it. */
  fate: 'passed' | 'cut' | 'lost' | null
}

export const show = (command: Command): string => showCommand(command.words)

/** Decides about a command before the server sees it. */
export type Gate = (command: Command) => Awaitable<'pass' | 'cut'>

/** Decides about a reply before the client sees it. */
export type ReplyGate = (command: Command) => Awaitable<'pass' | 'lose'>

/**
 * A unix socket that speaks to the server on behalf of one learner client and everything it duplicates.
 * It sees every frame, so that what is counted is what was sent, not what the learner's process says.
 */
export interface RedisWire extends Relay {
  /** Everything sent since the last `forget`, handshakes included. */
  readonly log: readonly Command[]
  /** The same without handshakes. */
  commands(): Command[]
  forget(): void
  /** Bytes of replies since the last `forget`. */
  readonly replyBytes: () => number
  gate: Gate | null
  replyGate: ReplyGate | null
}

export async function openRedisWire(socket: string, upstream: RedisUpstream): Promise<RedisWire> {
  const log: Command[] = []
  let replyBytes = 0

  const relay = await openRelay(socket, upstream.address as net.NetConnectOpts, (link) => {
    const { client, target } = link
    const readRequests = frameReader(parseRequest)
    const readReplies = frameReader(parseReply)
    const waiting: Command[] = []
    let started = false
    let subscribed = false
    let loginReplies = login(target, upstream)
    let forwarding = Promise.resolve()
    let answering = Promise.resolve()
    link.passed = () => answering

    const forward = async (command: Command, raw: Buffer): Promise<void> => {
      // A handshake is not part of a call: nothing holds or cuts it.
      const verdict = command.handshake || !wire.gate ? 'pass' : await wire.gate(command)
      command.fate = verdict === 'cut' ? 'cut' : 'passed'
      if (verdict === 'cut') return link.destroy()
      if (SUBSCRIBING.has(command.name)) subscribed = true
      else waiting.push(command)
      writeTogether(target, raw)
    }
    const answer = async (raw: Buffer, command: Command | undefined, verdict: Awaitable<'pass' | 'lose'>): Promise<void> => {
      if ((await verdict) === 'lose') {
        command!.fate = 'lost'
        return link.destroy()
      }
      replyBytes += raw.length
      writeTogether(client, raw)
    }

    client.on('data', (chunk: Buffer) => {
      try {
        for (const { value, raw } of readRequests(chunk)) {
          const name = value[0]!.toString('latin1', 0, 40).toUpperCase()
          const handshake = !started && HANDSHAKE.has(name)
          started ||= !handshake
          const command: Command = { connection: link.connection, words: value, name, handshake, reply: null, fate: null }
          log.push(command)
          forwarding = forwarding.then(() => forward(command, raw))
        }
      } catch {
        // Not the Redis protocol: only the sender loses by it.
        link.destroy()
      }
    })
    target.on('data', (chunk: Buffer) => {
      for (const { value, raw } of readReplies(chunk)) {
        if (loginReplies > 0) {
          loginReplies--
          if (value.type === 'error') link.trouble(new Error(`the server refused the login of the wire: ${value.text}`))
          continue
        }
        const command = isPush(value, subscribed) ? undefined : waiting.shift()
        if (command) command.reply = value
        // Asked at once, not when its turn comes: whoever holds replies must see all that have arrived.
        const verdict = command && !command.handshake && wire.replyGate ? wire.replyGate(command) : 'pass'
        answering = answering.then(() => answer(raw, command, verdict))
      }
    })
  })

  const wire: RedisWire = {
    ...relay,
    log,
    commands: () => log.filter((command) => !command.handshake),
    forget() {
      log.length = 0
      replyBytes = 0
    },
    replyBytes: () => replyBytes,
    gate: null,
    replyGate: null,
  }
  return wire
}

const HANDSHAKE = new Set(['HELLO', 'AUTH', 'SELECT', 'CLIENT', 'INFO', 'READONLY'])
const SUBSCRIBING = new Set(['SUBSCRIBE', 'UNSUBSCRIBE', 'PSUBSCRIBE', 'PUNSUBSCRIBE', 'SSUBSCRIBE', 'SUNSUBSCRIBE'])

/**
 * Logs in and chooses the database before the client's first frame; returns how many replies that makes.
 * The learner's user may not SELECT, so the admin chooses and the learner takes over.
 */
function login(target: net.Socket, { admin, learner, database }: RedisUpstream): number {
  const select = database === 0 ? [] : [...authenticate(admin), ['SELECT', String(database)]]
  const frames = [...select, ...authenticate(learner)]
  for (const words of frames) target.write(`*${words.length}\r\n${words.map((w) => `$${Buffer.byteLength(w)}\r\n${w}\r\n`).join('')}`)
  return frames.length
}

function authenticate({ username, password }: Login): string[][] {
  if (password === null) return []
  return [username === null ? ['AUTH', password] : ['AUTH', username, password]]
}

/** Messages and confirmations of Pub/Sub answer no command: RESP3 marks them, RESP2 does not. */
function isPush(reply: Reply, subscribed: boolean): boolean {
  if (reply.type === 'push') return true
  const first = reply.type === 'list' ? reply.items[0] : undefined
  return subscribed && first?.type === 'bulk' && /^(p|s)?(message|subscribe|unsubscribe)$/.test(first.text)
}

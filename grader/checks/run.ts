import path from 'node:path'
import { SourceMap } from 'node:module'
import { Redis } from 'ioredis'
import type { Host } from '#sandbox/host.ts'
import type { HostPool } from '#sandbox/pool.ts'
import type { KafkaEndpoint, RedisEndpoint } from '#services/services.ts'
import type { Relay } from '#wire/relay.ts'
import { patience, renewPatience, waitedInVain } from './patience.ts'
import { shared, type Shared } from './shared.ts'
import { both, ServiceGone } from './verdicts.ts'

/** What the grader hands to the thread in which the checks run: plain data. */
export interface RunConfig {
  /** The bundle of the submission, and its source map. */
  readonly code: string
  readonly sourceMap: string
  readonly redis: readonly RedisEndpoint[]
  readonly kafka: KafkaEndpoint | null
}

/** A Redis of one check's own: empty when it gets it, and the grader's connection to it. */
export interface Lane {
  readonly endpoint: RedisEndpoint
  readonly admin: Redis
}

type Connected = Pick<Relay, 'open'>

export interface Run {
  readonly config: RunConfig
  /** A process with the submission freshly imported, whose clock may be wrong; give it back when done. */
  takeHost(clockShiftMs?: number): Promise<Host>
  /** Resolves when the host, which the check `id` had, has been looked at, and its clients on `wires` are closed. */
  giveHost(host: Host, id: string, wires?: readonly Connected[]): Promise<void>
  /** Resolves when every host given back has been looked at. */
  hostsReturned(): Promise<void>
  /** A process that imports the submission for the first time. */
  freshHost(): Promise<Host>
  /** Every Redis of the run. */
  readonly lanes: Shared<Lane>
  /** The right to keep the cores busy. */
  readonly turns: Shared<number>
  /** Lines of the learner's TypeScript out of a stack of the bundle, innermost first. */
  learnerFrames(stack: string): string[]
  /** Everything the hosts have printed so far, and the rejections that nobody handled. */
  readonly printed: string[]
  readonly unhandled: string[]
  close(): Promise<void>
}

/** How long a call into learner code may take, in milliseconds. */
const CALL_MS = 3000

/** So many checks of a run work side by side, apart from those that wait: the third has two cores while others wait for Kafka. */
const AT_WORK = 3

/** Hosts are taken from `pool` and, when nothing is left in them, used again for the same submission. */
export function openRun(config: RunConfig, pool: HostPool): Run {
  renewPatience()
  const spare: Host[] = []
  const alive = new Set<Host>()
  const loaded = async (host: Host, clockShiftMs?: number): Promise<Host> => {
    alive.add(host)
    await host.load(config.code, clockShiftMs)
    return host
  }
  const lanes: Lane[] = config.redis.map((endpoint) => ({ endpoint, admin: connect(endpoint) }))
  const map = new SourceMap(JSON.parse(config.sourceMap) as never)
  const printed: string[] = []
  const unhandled: string[] = []
  const returning = new Set<Promise<void>>()

  const forACall = (): number => patience(CALL_MS)

  const lookAt = async (host: Host, id: string, wires: readonly Connected[]): Promise<void> => {
    // What the last call left running has its say first.
    await host.idle().catch(() => {})
    if (host.ended() === 'deadline') waitedInVain(id)
    const blameless = host.output() === '' && host.unhandled.length === 0
    if (host.output()) printed.push(host.output())
    for (const error of host.unhandled) unhandled.push(error.message)
    // A host that printed or misbehaved is not used again: what comes later must be told apart.
    if (blameless && host.alive() && (await nothingLeft(host)) && (await deserted(wires))) {
      spare.push(host)
      return
    }
    alive.delete(host)
    await host.kill()
  }

  return {
    config,
    takeHost: (clockShiftMs) => loaded(spare.pop() ?? pool.take(forACall), clockShiftMs),
    giveHost(host, id, wires = []) {
      const given = lookAt(host, id, wires).finally(() => returning.delete(given))
      returning.add(given)
      return given
    },
    async hostsReturned() {
      await Promise.all(returning)
    },
    freshHost: () => loaded(pool.take(forACall)),
    lanes: shared(lanes),
    turns: shared([...Array(AT_WORK).keys()]),
    learnerFrames: (stack) => learnerFrames(map, stack),
    printed,
    unhandled,
    async close() {
      for (const { admin } of lanes) admin.disconnect()
      await Promise.all([...alive].map((host) => host.kill()))
    },
  }
}

function connect(endpoint: RedisEndpoint): Redis {
  const admin = new Redis({
    ...endpoint.address,
    username: endpoint.admin.username ?? undefined,
    password: endpoint.admin.password ?? undefined,
    db: endpoint.database,
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => (times < 4 ? 50 : null),
  })
  admin.on('error', () => {})
  return admin
}

/**
 * Makes sure the server answers; if it does not, nothing can be concluded. A script of the learner's that never ends
 * is killed: after `lua-time-limit` the server says BUSY to everything else (https://redis.io/docs/latest/commands/script-kill/).
 */
export async function assureRedis({ admin }: Lane): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await admin.ping()
      return
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('BUSY'))) throw gone(error)
      // It fails when the script has ended by itself meanwhile, or has written and cannot be killed any more.
      await admin.script('KILL').catch(() => {})
    }
  }
  throw gone(undefined)
}

const gone = (cause: unknown): ServiceGone => new ServiceGone(both('Redis stopped answering.', 'Redis ngừng trả lời.'), { cause })

function learnerFrames(map: SourceMap, stack: string): string[] {
  const frames: string[] = []
  for (const line of stack.split('\n')) {
    const [, name, row, column] = /at (?:async )?(?:(\S+) \()?[^()]*submission\.mjs(?:\?\d+)?:(\d+):(\d+)\)?$/.exec(line.trim()) ?? []
    if (row === undefined || column === undefined) continue
    const origin = map.findEntry(Number(row) - 1, Number(column) - 1)
    if (!('originalSource' in origin)) continue
    const place = `${path.basename(origin.originalSource)}:${origin.originalLine + 1}:${origin.originalColumn + 1}`
    frames.push(name ? `${place} in ${name}` : place)
  }
  return frames.slice(0, 8)
}

async function nothingLeft(host: Host): Promise<boolean> {
  try {
    const { resources, timers, globals } = await host.reset()
    return resources.length === 0 && timers === 0 && globals.length === 0
  } catch {
    return false
  }
}

/** A socket that was closed in its host is so here, too, after a few turns of the event loop. */
const TURNS = 10

/**
 * Whether nobody is connected any more. What a submission has left open would, once its wire is closed, try to connect
 * again and again, in a check that has nothing to do with it.
 */
async function deserted(wires: readonly Connected[]): Promise<boolean> {
  for (let turn = 0; turn < TURNS; turn++) {
    if (wires.every((wire) => wire.open() === 0)) return true
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  return false
}

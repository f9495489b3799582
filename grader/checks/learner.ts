import path from 'node:path'
import type { ClientHandle, Host, Instance } from '#sandbox/host.ts'
import { openKafkaWire, type KafkaWire } from '#wire/kafka-wire.ts'
import { openRedisWire, type Command, type RedisWire } from '#wire/redis-wire.ts'
import { countRoundTrips } from '#wire/round-trips.ts'
import { until } from './expectations.ts'
import type { Lane, Run } from './run.ts'
import { both, Inconclusive } from './verdicts.ts'

/** One process of the learner's code with a client of its own, as a check sees it. */
export interface Learner {
  readonly host: Host
  /** The client to hand to learner code; on a Kafka exercise `kafka`. */
  readonly redis: ClientHandle
  readonly kafka: ClientHandle
  /** What this client and its duplicates send. */
  readonly wire: RedisWire
  readonly kafkaWire: KafkaWire
  /** Calls an exported function. */
  call(name: string, ...args: unknown[]): Promise<unknown>
  /** Makes an instance of an exported class. */
  make(name: string, ...args: unknown[]): Promise<Instance>
  /** Round trips of one call, and its commands. */
  roundTrips(run: () => Promise<unknown>): Promise<{ trips: number; commands: Command[] }>
  /** The same process with another client: its own connection and wire. */
  withRedis(options?: RedisOptions): Promise<Learner>
  withKafka(options?: { retries?: number }): Promise<Learner>
  /** SIGSTOP and SIGCONT. */
  stop(): void
  cont(): void
  /** SIGKILL. */
  kill(): Promise<void>
}

export interface RedisOptions {
  /** False: a lost connection stays lost, so that nothing is sent again behind the check's back. Default true. */
  readonly reconnects?: boolean
  /** How often ioredis sends a command again before the call rejects. */
  readonly retriesPerRequest?: number | null
}

/** Resolves when the process has nothing at hand, and what it answered before has arrived here. */
export async function quiet(learner: Learner): Promise<void> {
  await learner.host.idle()
  await new Promise((resolve) => { setImmediate(resolve) })
}

/**
 * What a poll without records may take, in milliseconds: 5 s for a consumer that says it wants kafkajs's own default
 * (https://kafka.js.org/docs/consuming#options), and some more.
 */
const LONGEST_POLL_MS = 8000

/**
 * Resolves when the broker has answered what the process asked until now, and what it asked upon that: a commit that was
 * under way and the poll after it, but not the polls to come.
 */
export async function caughtUp(learner: Learner): Promise<void> {
  for (const _ of ['under way', 'upon that']) {
    await quiet(learner)
    const { underWay } = learner.kafkaWire
    const asked = [...underWay]
    await until(() => asked.every((request) => !underWay.has(request)),
      both('the broker to answer', 'broker trả lời'), LONGEST_POLL_MS)
  }
}

let sockets = 0

/** Learners of the check `id`, who can list its Kafka `topics`; all their wires end with it. */
export function learners(run: Run, lane: Lane | null, id: string, topics: ReadonlySet<string>): {
  start(options?: { clockShiftMs?: number; redis?: RedisOptions; kafka?: { retries?: number } }): Promise<Learner>
  readonly redisWires: readonly RedisWire[]
  readonly kafkaWires: readonly KafkaWire[]
  close(): Promise<void>
} {
  const hosts = new Map<Host, (RedisWire | KafkaWire)[]>()
  const redisWires: RedisWire[] = []
  const kafkaWires: KafkaWire[] = []
  const socketIn = (host: Host): string => path.join(host.wires, `${++sockets}.sock`)

  const redisClient = async (host: Host, options?: RedisOptions): Promise<{ redis: ClientHandle; wire: RedisWire }> => {
    if (!lane) throw new Inconclusive(both('This exercise has no Redis.', 'Bài tập này không dùng Redis.'))
    const wire = await openRedisWire(socketIn(host), lane.endpoint)
    redisWires.push(wire)
    hosts.get(host)!.push(wire)
    const redis = await host.openRedis(wire.socket, options)
    if (wire.trouble()) throw new Inconclusive(both(`Redis: ${wire.trouble()!.message}`, `Redis: ${wire.trouble()!.message}`))
    return { redis, wire }
  }
  const kafkaClient = async (host: Host, options?: { retries?: number }): Promise<{ kafka: ClientHandle; kafkaWire: KafkaWire }> => {
    const [hostname, port] = run.config.kafka!.brokers[0]!.split(':')
    const kafkaWire = await openKafkaWire(socketIn(host), { host: hostname!, port: Number(port) }, topics)
    kafkaWires.push(kafkaWire)
    hosts.get(host)!.push(kafkaWire)
    return { kafka: await host.openKafka(kafkaWire.socket, options), kafkaWire }
  }
  const none = {} as never
  const learner = (host: Host, clients: Pick<Learner, 'redis' | 'wire' | 'kafka' | 'kafkaWire'>): Learner => ({
    host,
    ...clients,
    call: (name, ...args) => host.call(name, ...args),
    make: (name, ...args) => host.construct(name, ...args),
    roundTrips: (body) => countRoundTrips(clients.wire, host, body),
    withRedis: async (options) => learner(host, { ...clients, ...(await redisClient(host, options)) }),
    withKafka: async (options) => learner(host, { ...clients, ...(await kafkaClient(host, options)) }),
    stop: () => host.stop(),
    cont: () => host.cont(),
    kill: () => host.kill(),
  })

  return {
    redisWires,
    kafkaWires,
    async start({ clockShiftMs, redis, kafka } = {}) {
      const host = await run.takeHost(clockShiftMs)
      hosts.set(host, [])
      return learner(host, {
        ...(lane ? await redisClient(host, redis) : { redis: none, wire: none }),
        ...(run.config.kafka ? await kafkaClient(host, kafka) : { kafka: none, kafkaWire: none }),
      })
    },
    async close() {
      // Hosts first: a client that is cut off would try to connect again instead of ending.
      await Promise.all([...hosts].map(([host, wires]) => run.giveHost(host, id, wires)))
      await Promise.all([...redisWires, ...kafkaWires].map((wire) => wire.close()))
    },
  }
}

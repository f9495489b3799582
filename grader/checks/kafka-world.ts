import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs, { type Admin, type Kafka, type Message, type Producer } from 'kafkajs'
import type { Text } from '#catalog/text.ts'
import { openDirect, type DirectKafka, type CommittedRecord } from './direct-kafka.ts'
import { until } from './expectations.ts'
import { expelMembers } from './expel.ts'
import type { Run } from './run.ts'
import { topicPool, type TopicPool } from './topic-pool.ts'
import { both, ServiceGone } from './verdicts.ts'
import { quietRequestQueue } from '#wire/kafkajs-quiet.ts'

quietRequestQueue()

/** The grader's own view of Kafka: topics and groups of one check, and what became of them. */
export interface KafkaWorld {
  /** A topic of this check's own, with a name nobody can guess. */
  topic(partitions?: number): Promise<string>
  /** A name for a group, or for anything else that must be this check's own. */
  name(what: string): string
  produce(topic: string, messages: readonly Message[]): Promise<void>
  /** The same in one committed transaction, which leaves a control record behind. */
  produceInTransaction(topic: string, messages: readonly Message[]): Promise<void>
  /** Every committed record of the topic, in offset order within each partition; waits until `count` are there. */
  read(topic: string, count: number): Promise<CommittedRecord[]>
  /** What a reader of committed records finds now, in offset order within each partition. */
  readCommitted(topic: string): Promise<CommittedRecord[]>
  /** Committed offsets by partition; −1 where nothing is committed. */
  committed(group: string, topic: string): Promise<number[]>
  /** End offsets by partition. */
  ends(topic: string): Promise<number[]>
  /** Members of a group that is stable; 0 for a group that is empty or gone. */
  members(group: string): Promise<number>
  /** Ends the sessions of all members there are now: a dead or stopped one need not be waited for. */
  expel(group: string): Promise<void>
  /**
   * A group that stands where `group` stands, at the beginning where that has committed nothing: for who takes over from
   * a dead member without waiting for its session to end.
   */
  heir(group: string, topic: string): Promise<string>
  /** Puts a group without members at the beginning of a topic: what it has handled comes again. */
  rewind(group: string, topic: string): Promise<void>
  /** Waits until the sum of committed offsets reaches `count`. */
  untilCommitted(group: string, topic: string, count: number, what?: Text, ms?: number): Promise<void>
}

interface Clients { readonly kafka: Kafka; readonly admin: Admin; readonly producer: Producer; readonly direct: DirectKafka }

let clients: Promise<Clients> | undefined
let pool: TopicPool | undefined
let probe: Promise<string> | undefined

/** The world of one check: its clients are everybody's, its topics (they gather in `topics`) and groups are its own. */
export function kafkaWorld(run: Run, topics = new Set<string>()): KafkaWorld {
  const connected = (): Promise<Clients> => (clients ??= connect(run.config.kafka!.brokers))
  return {
    async topic(partitions = 1) {
      pool ??= topicPool(connected, () => unguessable('t'))
      const topic = await pool.take(partitions)
      topics.add(topic)
      return topic
    },
    name: (what) => unguessable(what),
    async produce(topic, messages) {
      const { producer } = await connected()
      await producer.send({ topic, messages: [...messages], acks: -1 })
    },
    async produceInTransaction(topic, messages) {
      const { kafka } = await connected()
      const producer = kafka.producer({ transactionalId: unguessable('tx'), maxInFlightRequests: 1, allowAutoTopicCreation: false })
      await producer.connect()
      try {
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages: [...messages] })
        await transaction.commit()
      } finally {
        await producer.disconnect()
      }
    },
    readCommitted: async (topic) => (await connected()).direct.records(topic),
    async read(topic, count) {
      return until(async () => {
        const found = await this.readCommitted(topic)
        return found.length >= count ? found : null
      }, both(`${count} records on the topic`, `${count} bản ghi trên topic`))
    },
    committed: async (group, topic) => (await connected()).direct.committed(group, topic),
    ends: async (topic) => (await connected()).direct.ends(topic),
    async members(group) {
      const { admin } = await connected()
      const { groups: [found] } = await admin.describeGroups([group])
      return found?.state === 'Dead' || found?.state === 'Empty' ? 0 : (found?.members.length ?? 0)
    },
    async expel(group) {
      const { admin } = await connected()
      const { groups: [found] } = await admin.describeGroups([group])
      const members = found?.members.map(({ memberId }) => memberId) ?? []
      if (members.length > 0) await expelMembers(run.config.kafka!.brokers[0]!, group, members)
    },
    async heir(group, topic) {
      const heir = unguessable('heir')
      const { direct } = await connected()
      await direct.commit(heir, topic, (await direct.committed(group, topic)).map((offset) => Math.max(0, offset)))
      return heir
    },
    async rewind(group, topic) {
      const { direct } = await connected()
      await direct.commit(group, topic, (await direct.ends(topic)).map(() => 0))
    },
    async untilCommitted(group, topic, count, what, ms) {
      await until(async () => (await this.committed(group, topic)).reduce((sum, offset) => sum + Math.max(0, offset), 0) >= count,
        what ?? both(`a committed offset of ${count}`, `offset đã commit là ${count}`), ms)
    },
  }
}

async function connect(brokers: readonly string[]): Promise<Clients> {
  const kafka = new kafkajs.Kafka({
    clientId: 'grader', brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 4, initialRetryTime: 20, maxRetryTime: 200 },
  })
  const admin = kafka.admin()
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  try {
    const [direct] = await Promise.all([openDirect(brokers), admin.connect(), producer.connect()])
    return { kafka, admin, producer, direct }
  } catch (error) {
    throw new ServiceGone(both('Kafka stopped answering.', 'Kafka ngừng trả lời.'), { cause: error })
  }
}

/**
 * Makes sure that the broker still takes records; if it does not, nothing can be concluded. Looking is not enough: one
 * whose disk is full answers questions for a while.
 */
export async function assureKafka(run: Run): Promise<void> {
  try {
    const world = kafkaWorld(run)
    await world.produce(await (probe ??= world.topic()), [{ value: 'still there?' }])
  } catch (cause) {
    throw new ServiceGone(both('Kafka stopped taking records.', 'Kafka không còn nhận bản ghi.'), { cause })
  }
}

/** A client that waits for an answer of a broker that is gone does so for half a minute; nobody else has to. */
const LEAVE_MS = 3000

async function takeLeave({ admin, producer, direct }: Clients, used: TopicPool | undefined): Promise<void> {
  await admin.deleteTopics({ topics: (await used?.close()) ?? [] })
  await Promise.all([admin.disconnect(), producer.disconnect(), direct.close()])
}

/** Deletes the topics of the run and ends the grader's clients. */
export async function closeKafka(): Promise<void> {
  if (!clients) return
  const [closing, used] = [clients, pool]
  clients = pool = probe = undefined
  try {
    await Promise.race([takeLeave(await closing, used), pause(LEAVE_MS)])
  } catch {
    // A broker that is gone has no topics to delete.
  }
}

const unguessable = (what: string): string => `${what}-${randomBytes(9).toString('hex')}`

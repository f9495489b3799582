import { randomBytes } from 'node:crypto'
import kafkajs, { type Admin, type Kafka, type KafkaMessage, type Message, type Producer } from 'kafkajs'
import type { Text } from '#catalog/text.ts'
import { until as eventually } from '#services/wait.ts'
import { until } from './expectations.ts'
import { quietRequestQueue } from './kafkajs-quiet.ts'
import type { Run } from './run.ts'
import { both, ServiceGone } from './verdicts.ts'

quietRequestQueue()

/** The grader's own view of Kafka: topics and groups of one check, and what became of them. */
export interface KafkaWorld {
  /** A topic of this check's own, with a name nobody can guess. */
  topic(partitions?: number): Promise<string>
  /** A name for a group, or for anything else that must be this check's own. */
  name(what: string): string
  produce(topic: string, messages: readonly Message[]): Promise<void>
  /** Every record of the topic, in offset order within each partition; waits until `count` are there. */
  read(topic: string, count: number): Promise<KafkaMessage[]>
  /** Committed offsets by partition; −1 where nothing is committed. */
  committed(group: string, topic: string): Promise<number[]>
  /** End offsets by partition. */
  ends(topic: string): Promise<number[]>
  /** Members of a group that is stable; 0 for a group that is empty or gone. */
  members(group: string): Promise<number>
  /**
   * A group that stands where `group` stands, at the beginning where that has committed nothing: for who takes over from
   * a dead member without waiting for its session to end.
   */
  heir(group: string, topic: string): Promise<string>
  /** Waits until the sum of committed offsets reaches `count`. */
  untilCommitted(group: string, topic: string, count: number, what?: Text, ms?: number): Promise<void>
}

interface Clients { readonly kafka: Kafka; readonly admin: Admin; readonly producer: Producer }

/** A request to create topics takes as long for many as for one. */
const TOPICS_AT_ONCE = 16

/** So many are left when the next ones are begun: about as many as the checks that run side by side want at once. */
const TOPICS_SPARE = 4

let clients: Promise<Clients> | undefined
/** By number of partitions: topics made, or in the making. */
const pools = new Map<number, { readonly batch: Promise<string[]>; readonly i: number }[]>()
const batches: Promise<string[]>[] = []

export function kafkaWorld(run: Run): KafkaWorld {
  const connected = (): Promise<Clients> => (clients ??= connect(run.config.kafka!.brokers))
  const makeTopics = async (numPartitions: number): Promise<string[]> => {
    const names = Array.from({ length: TOPICS_AT_ONCE }, () => unguessable('t'))
    const { kafka } = await connected()
    // A client of its own: kafkajs forgets the topics of one call over the metadata of another.
    const admin = kafka.admin()
    await admin.connect()
    try {
      await admin.createTopics({ topics: names.map((topic) => ({ topic, numPartitions })), waitForLeaders: false })
      await eventually('the topics that were made', () => areHosted(admin, names), { deadlineMs: 10_000, everyMs: 5 })
    } finally {
      await admin.disconnect()
    }
    return names
  }
  return {
    async topic(partitions = 1) {
      const pool = pools.get(partitions) ?? []
      pools.set(partitions, pool)
      if (pool.length <= TOPICS_SPARE) {
        const batch = makeTopics(partitions)
        // Whoever needs one of them hears of it.
        batch.catch(() => {})
        batches.push(batch)
        for (let i = 0; i < TOPICS_AT_ONCE; i++) pool.push({ batch, i })
      }
      const { batch, i } = pool.shift()!
      return (await batch)[i]!
    },
    name: (what) => unguessable(what),
    async produce(topic, messages) {
      const { producer } = await connected()
      await producer.send({ topic, messages: [...messages], acks: -1 })
    },
    async read(topic, count) {
      const { kafka } = await connected()
      return readTopic(kafka, topic, count)
    },
    async committed(group, topic) {
      const { admin } = await connected()
      const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      return [...(found?.partitions ?? [])].sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset))
    },
    async ends(topic) {
      const { admin } = await connected()
      const found = await admin.fetchTopicOffsets(topic)
      return found.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high))
    },
    async members(group) {
      const { admin } = await connected()
      const { groups: [found] } = await admin.describeGroups([group])
      return found?.state === 'Dead' || found?.state === 'Empty' ? 0 : (found?.members.length ?? 0)
    },
    async heir(group, topic) {
      const { kafka } = await connected()
      const heir = unguessable('heir')
      await commit(kafka, heir, topic, await this.committed(group, topic))
      return heir
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
    await Promise.all([admin.connect(), producer.connect()])
  } catch (error) {
    throw new ServiceGone(both('Kafka stopped answering.', 'Kafka ngừng trả lời.'), { cause: error })
  }
  return { kafka, admin, producer }
}

/** A topic exists before the broker hosts it: until then clients that retry too little give up on it. */
async function areHosted(admin: Admin, topics: readonly string[]): Promise<true | undefined> {
  try {
    for (const topic of topics) await admin.fetchTopicOffsets(topic)
    return true
  } catch (error) {
    const { type, cause } = error as { type?: string; cause?: { type?: string } }
    const reason = cause?.type ?? type ?? ''
    if (['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION'].includes(reason)) return undefined
    throw error
  }
}

/** Deletes the topics of the run and ends the grader's clients. */
export async function closeKafka(): Promise<void> {
  if (!clients) return
  try {
    const { admin, producer } = await clients
    const made = await Promise.allSettled(batches.splice(0))
    await admin.deleteTopics({ topics: made.flatMap((batch) => (batch.status === 'fulfilled' ? batch.value : [])) })
    await Promise.all([admin.disconnect(), producer.disconnect()])
  } catch {
    // A broker that is gone has no topics to delete.
  }
}

async function readTopic(kafka: Kafka, topic: string, count: number): Promise<KafkaMessage[]> {
  const records: { partition: number; message: KafkaMessage }[] = []
  const consumer = kafka.consumer({ groupId: unguessable('reader'), maxWaitTimeInMs: 20, heartbeatInterval: 500, sessionTimeout: 6000 })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ autoCommit: false, eachMessage: async ({ partition, message }) => void records.push({ partition, message }) })
    await until(() => records.length >= count, both(`${count} records on the topic, of which ${records.length} came`, `${count} bản ghi trên topic`))
  } finally {
    await consumer.disconnect()
  }
  return records.sort((a, b) => a.partition - b.partition || Number(a.message.offset) - Number(b.message.offset)).map(({ message }) => message)
}

/** Commits offsets by partition for a group without members; −1 is the beginning. */
async function commit(kafka: Kafka, groupId: string, topic: string, offsets: readonly number[]): Promise<void> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 20 })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic })
    await consumer.run({ autoCommit: false, eachMessage: async () => {} })
    await consumer.commitOffsets(offsets.map((offset, partition) => ({ topic, partition, offset: String(Math.max(0, offset)) })))
  } finally {
    await consumer.disconnect()
  }
}

const unguessable = (what: string): string => `${what}-${randomBytes(9).toString('hex')}`

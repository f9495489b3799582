import type { KafkaMessage } from 'kafkajs'
import Cluster from 'kafkajs/src/cluster/index.js'
import Batch from 'kafkajs/src/consumer/batch.js'
import createRetry from 'kafkajs/src/retry/index.js'
import createSocketFactory from 'kafkajs/src/network/socketFactory.js'
import { createLogger } from 'kafkajs/src/loggers/index.js'
import type { Broker } from 'kafkajs/src/broker/index.js'
import { stopwatch } from '#sandbox/stopwatch.ts'
import { both, ServiceGone } from './verdicts.ts'

/** A record as a reader that sees committed ones only gets it. */
export type CommittedRecord = KafkaMessage & { readonly partition: number }

/**
 * Kafka at the price of one request a question: kafkajs's admin client takes three for the same, and a consumer has to
 * join a group first. Offsets and records are those of a reader of committed records.
 */
export interface DirectKafka {
  /** Whether the topic can be written to and read: it exists a little earlier. */
  hosts(topic: string): Promise<boolean>
  /** Last stable offsets by partition: what lies behind them is nobody's to read yet. */
  ends(topic: string): Promise<number[]>
  /** Every record up to there, in offset order within each partition. */
  records(topic: string): Promise<CommittedRecord[]>
  /** Committed offsets by partition; −1 where nothing is committed. */
  committed(group: string, topic: string): Promise<number[]>
  /** Commits offsets by partition for a group without members. */
  commit(group: string, topic: string, offsets: readonly number[]): Promise<void>
  close(): Promise<void>
}

/** A topic as far as it was read. */
interface View {
  readonly records: CommittedRecord[]
  /** Next offset by partition. */
  readonly reached: number[]
  readonly ends: number[]
  looking: Promise<unknown>
}

const READ_COMMITTED = 1
const MAX_BYTES = 10 << 20
const READ_WITHIN_MS = 10_000
const RETRY = { retries: 4, initialRetryTime: 20, maxRetryTime: 200 }

export async function openDirect(brokers: readonly string[]): Promise<DirectKafka> {
  const cluster = new Cluster({
    logger: createLogger({ level: 0, logCreator: () => () => {} }), socketFactory: createSocketFactory(),
    brokers: [...brokers], clientId: 'grader', connectionTimeout: 1000, metadataMaxAge: 300_000, allowAutoTopicCreation: false, retry: RETRY,
  })
  const retried = createRetry(RETRY)
  /** Partitions by their leader's node. */
  const leaders = new Map<string, Map<number, number[]>>()
  const coordinators = new Map<string, number>()
  const views = new Map<string, View>()

  const leadersOf = async (topic: string): Promise<Map<number, number[]>> => {
    const known = leaders.get(topic)
    if (known) return known
    const { topicMetadata: [found] } = await (await cluster.brokerPool.findConnectedBroker()).metadata([topic])
    const byLeader = Map.groupBy(found!.partitionMetadata, ({ leader }) => leader)
    const partitions = new Map([...byLeader].map(([leader, led]) => [leader, led.map(({ partitionId }) => partitionId)]))
    leaders.set(topic, partitions)
    return partitions
  }
  const coordinatorOf = async (group: string): Promise<Broker> => {
    const nodeId = coordinators.get(group) ?? (await cluster.findGroupCoordinatorMetadata({ groupId: group, coordinatorType: 0 })).coordinator.nodeId
    coordinators.set(group, nodeId)
    return cluster.findBroker({ nodeId })
  }
  /** Leaders and coordinators move: what fails is asked for again before it is tried again. */
  const asked = <T>(topic: string, group: string | null, question: () => Promise<T>): Promise<T> =>
    retried(() => question().catch((error: unknown) => {
      leaders.delete(topic)
      if (group !== null) coordinators.delete(group)
      throw error
    }))

  /** One request to each leader; true once everything committed by then was read. */
  const read = async (topic: string, view: View): Promise<boolean> => {
    for (const [nodeId, partitions] of await leadersOf(topic)) {
      const broker = await cluster.findBroker({ nodeId })
      const { responses: [found] } = await broker.fetch({
        replicaId: -1, isolationLevel: READ_COMMITTED, maxWaitTime: 0, minBytes: 1, maxBytes: MAX_BYTES,
        topics: [{ topic, partitions: partitions.map((partition) => ({ partition, fetchOffset: String(view.reached[partition] ?? 0), maxBytes: MAX_BYTES })) }],
      })
      for (const data of found?.partitions ?? []) {
        const { partition } = data
        const batch = new Batch(topic, String(view.reached[partition] ?? 0), data)
        // Control records and what was aborted take up offsets but are not among the messages.
        view.reached[partition] = batch.isEmptyIncludingFiltered() ? (view.reached[partition] ?? 0) : Number(batch.lastOffset()) + 1
        view.ends[partition] = Number(data.lastStableOffset)
        for (const message of batch.messages) view.records.push({ ...message, partition })
      }
    }
    return view.ends.every((end, partition) => view.reached[partition]! >= end)
  }
  /** One look at a time: two would read the same records. */
  const look = async (topic: string): Promise<View> => {
    const view = views.get(topic) ?? { records: [], reached: [], ends: [], looking: Promise.resolve() }
    views.set(topic, view)
    const looked = view.looking.then(async () => {
      for (const passed = stopwatch(); !(await asked(topic, null, () => read(topic, view)));) {
        if (passed() > READ_WITHIN_MS) throw new ServiceGone(both('Kafka does not hand out what it has.', 'Kafka không trả về hết dữ liệu đang có.'))
      }
    })
    view.looking = looked.catch(() => {})
    await looked
    return view
  }

  await cluster.connect()
  // Brokers are found by what it tells.
  await cluster.refreshMetadata()
  return {
    async hosts(topic) {
      try {
        await read(topic, { records: [], reached: [], ends: [], looking: Promise.resolve() })
        return true
      } catch (error) {
        leaders.delete(topic)
        if (NOT_YET.includes((error as { type?: string }).type)) return false
        throw error
      }
    },
    ends: async (topic) => [...(await look(topic)).ends],
    records: async (topic) =>
      (await look(topic)).records.toSorted((a, b) => a.partition - b.partition || Number(a.offset) - Number(b.offset)),
    committed: (group, topic) => asked(topic, group, async () => {
      const partitions = [...(await leadersOf(topic)).values()].flat().map((partition) => ({ partition }))
      const { responses: [found] } = await (await coordinatorOf(group)).offsetFetch({ groupId: group, topics: [{ topic, partitions }] })
      return found!.partitions.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset))
    }),
    commit: (group, topic, offsets) => asked(topic, group, async () => {
      await (await coordinatorOf(group)).offsetCommit({
        groupId: group, groupGenerationId: -1, memberId: '',
        topics: [{ topic, partitions: offsets.map((offset, partition) => ({ partition, offset: String(offset) })) }],
      })
    }),
    close: () => cluster.disconnect(),
  }
}

const NOT_YET: readonly unknown[] = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION']

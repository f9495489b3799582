import type { Admin, Kafka, KafkaMessage } from 'kafkajs'
import { until } from './expectations.ts'
import { both } from './verdicts.ts'

/** A record as a reader that sees committed ones only gets it. */
export type CommittedRecord = KafkaMessage & { readonly partition: number }

/** A reader that stays at a topic: a new one for every look would have to join a group every time. */
export interface TopicView {
  /** Every committed record up to where the topic ends now, in offset order within each partition. */
  now(): Promise<CommittedRecord[]>
  /** The same as soon as there are `count`. */
  atLeast(count: number): Promise<CommittedRecord[]>
  close(): Promise<void>
}

export async function viewTopic({ kafka, admin }: { kafka: Kafka; admin: Admin }, topic: string, groupId: string): Promise<TopicView> {
  const records: CommittedRecord[] = []
  /** Next offset by partition. */
  const reached = new Map<number, number>()
  const consumer = kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 100, heartbeatInterval: 1000, sessionTimeout: 10_000 })
  // Control records and what was aborted take up offsets but are never handed over: only the batch tells how far it went.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => void reached.set(partition, Number(lastOffset) + 1))
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ autoCommit: false, eachMessage: async ({ partition, message }) => void records.push({ ...message, partition }) })

  const inOrder = (): CommittedRecord[] => records.toSorted((a, b) => a.partition - b.partition || Number(a.offset) - Number(b.offset))
  return {
    async now() {
      // kafkajs asks for the last stable offset: what lies behind it is nobody's to read yet.
      const ends = await admin.fetchTopicOffsets(topic)
      const atEnd = (): boolean => ends.every(({ partition, low, high }) => low === high || (reached.get(partition) ?? 0) >= Number(high))
      await until(atEnd, both('the end of a topic', 'đọc đến cuối topic'), 10_000)
      const end = new Map(ends.map(({ partition, high }) => [partition, Number(high)]))
      return inOrder().filter(({ partition, offset }) => Number(offset) < (end.get(partition) ?? 0))
    },
    async atLeast(count) {
      await until(() => records.length >= count, both(`${count} records on the topic, of which ${records.length} came`, `${count} bản ghi trên topic`))
      return inOrder()
    },
    close: () => consumer.disconnect(),
  }
}

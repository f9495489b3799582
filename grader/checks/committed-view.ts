import type { Admin, Kafka, KafkaMessage } from 'kafkajs'
import { until } from './expectations.ts'
import { both } from './verdicts.ts'

/** A record as a reader that sees committed ones only gets it. */
export type CommittedRecord = KafkaMessage & { readonly partition: number }

/**
 * Every committed record up to where the topic ends now, in offset order within each partition. Control records and
 * what was aborted take up offsets but are never handed over: the end is reached when everything before it was fetched.
 */
export async function readCommitted({ kafka, admin }: { kafka: Kafka; admin: Admin }, topic: string, groupId: string): Promise<CommittedRecord[]> {
  const ends = await admin.fetchTopicOffsets(topic)
  // kafkajs asks for the last stable offset: what lies behind it is nobody's to read yet.
  const missing = new Map(ends.filter(({ high, low }) => Number(high) > Number(low)).map(({ partition, high }) => [partition, Number(high)]))
  if (missing.size === 0) return []
  const end = new Map(missing)
  const records: CommittedRecord[] = []
  const consumer = kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 20, heartbeatInterval: 500, sessionTimeout: 6000 })
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
    if (Number(lastOffset) + 1 >= (missing.get(partition) ?? Infinity)) missing.delete(partition)
  })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        if (Number(message.offset) < (end.get(partition) ?? 0)) records.push({ ...message, partition })
      },
    })
    await until(() => missing.size === 0, both('the end of a topic', 'đọc đến cuối topic'), 10_000)
  } finally {
    await consumer.disconnect()
  }
  return records.sort((a, b) => a.partition - b.partition || Number(a.offset) - Number(b.offset))
}

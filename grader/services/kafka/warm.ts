import { Kafka, logLevel } from 'kafkajs'
import { until } from '#services/wait.ts'

/**
 * The first use of groups and of transactions takes a new broker 150 to 450 ms each; afterwards they take 10.
 * Pays that once, before anybody is measured.
 */
export async function warm(brokers: string[]): Promise<void> {
  const kafka = new Kafka({
    brokers,
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20, factor: 0.1, multiplier: 1.1, retries: 60 },
  })
  await Promise.all([warmGroups(kafka), warmTransactions(kafka)])
}

async function warmGroups(kafka: Kafka): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    // While the coordinator loads it answers with an error, which kafkajs does not retry here.
    await until('the group coordinator of a new broker', () =>
      admin.fetchOffsets({ groupId: 'kit-warm-up' }).catch(() => undefined), { deadlineMs: 10_000, everyMs: 10 })
  } finally {
    await admin.disconnect()
  }
}

async function warmTransactions(kafka: Kafka): Promise<void> {
  const producer = kafka.producer({ transactionalId: 'kit-warm-up', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  try {
    const transaction = await producer.transaction()
    await transaction.abort()
  } finally {
    await producer.disconnect()
  }
}

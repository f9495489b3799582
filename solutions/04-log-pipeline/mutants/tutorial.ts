// Mistake: the pipeline most tutorials print: nobody waits for the send, the group is a new one at every start and
//          cannot be stopped, and one bad message ends the consumer.
// Fails: send-waits-for-the-broker, old-group-goes-on, stop-leaves-the-group, failed-send-rejects
// Fails: unknown-levels-are-refused, messages-must-be-strings, any-error-is-survived, broken-json-is-set-aside
// Fails: incomplete-logs-are-set-aside, records-without-value-are-set-aside, set-aside-as-it-came, works-without-oninvalid
// Fails: one-commit-per-record-at-most, offset-waits-for-the-handler, offset-waits-for-oninvalid
// Fails: stop-waits-for-the-log-in-hand, stop-commits-what-was-handled, commits-are-rare
// Fails: no-floating-promises, no-leaked-connection, no-unhandled-rejection
import type { Kafka } from 'kafkajs'

/** Creates the log producer. */
export function createLogProducer(kafka: Kafka, options: { topic?: string } = {}) {
  const topic = options.topic ?? 'application.logs'
  const producer = kafka.producer()

  return {
    async connect(): Promise<void> {
      await producer.connect()
    },
    async sendLog(level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', message: string): Promise<void> {
      const log = { level, message, timestamp: new Date().toISOString() }
      producer.send({ topic, messages: [{ value: JSON.stringify(log) }] })
    },
    async disconnect(): Promise<void> {
      await producer.disconnect()
    },
  }
}

/** Starts the log consumer. */
export async function consumeLogs(
  kafka: Kafka,
  options: {
    topic?: string
    groupId: string
    onLog(log: { level: string; message: string; timestamp: string }): void | Promise<void>
    onInvalid?(raw: Buffer | null, error: Error): void | Promise<void>
  },
): Promise<{ stop(): Promise<void> }> {
  const consumer = kafka.consumer({ groupId: `logs-${Date.now()}-${Math.random()}` })
  await consumer.connect()
  await consumer.subscribe({ topic: options.topic ?? 'application.logs', fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      const log = JSON.parse(message.value!.toString())
      await options.onLog(log)
    },
  })
  return {
    async stop() {},
  }
}

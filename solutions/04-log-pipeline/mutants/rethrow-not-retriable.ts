// Mistake: wraps only the four named errors; an error with retriable:false (kafkajs errors) ends the consumer
// Fails: any-error-is-survived
import type { Kafka, KafkaMessage } from 'kafkajs'

/** The severities that a producer of `application.logs` may use. */
export type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'

/** One log, as it lies in the topic `application.logs`. */
export interface Log {
  level: string
  message: string
  timestamp: string
}

/** The producer of one topic (`application.logs` by default): a log that was sent is stored by every in-sync replica. */
export interface LogProducer {
  connect(): Promise<void>
  sendLog(level: Level, message: string): Promise<void>
  disconnect(): Promise<void>
}

/** What `consumeLogs` needs; the topic is `application.logs` unless another is named. Delivery is at least once. */
export interface ConsumeOptions {
  topic?: string
  groupId: string
  onLog(log: Log): void | Promise<void>
  onInvalid?(raw: Buffer | null, error: Error): void | Promise<void>
}

const DEFAULT_TOPIC = 'application.logs'
const LEVELS: ReadonlySet<unknown> = new Set(['DEBUG', 'INFO', 'WARN', 'ERROR'])

/**
 * Makes a producer for the topic `application.logs` (or `options.topic`). `sendLog` resolves once all in-sync replicas have
 * the record, and rejects otherwise; what is no log is refused with a TypeError before anything is sent.
 */
export function createLogProducer(kafka: Kafka, options: { topic?: string } = {}): LogProducer {
  const topic = options.topic ?? DEFAULT_TOPIC
  const producer = kafka.producer()
  return {
    connect: () => producer.connect(),
    async sendLog(level, message) {
      if (!LEVELS.has(level)) throw new TypeError(`unknown level ${String(level)}`)
      if (typeof message !== 'string') throw new TypeError('a message must be a string')
      const timestamp = new Date().toISOString()
      await producer.send({ topic, acks: -1, messages: [{ value: JSON.stringify({ level, message, timestamp }) }] })
    },
    disconnect: () => producer.disconnect(),
  }
}

function parseLog(message: KafkaMessage): Log | Error {
  if (message.value === null) return new Error('the record has no value')
  let parsed: unknown
  try {
    parsed = JSON.parse(message.value.toString('utf8'))
  } catch (error) {
    return new Error('the record is not JSON', { cause: error })
  }
  if (typeof parsed !== 'object' || parsed === null) return new Error('the record is no object')
  const { level, message: text, timestamp } = parsed as Record<string, unknown>
  if (typeof level !== 'string') return new Error('level is no string')
  if (typeof text !== 'string') return new Error('message is no string')
  if (typeof timestamp !== 'string') return new Error('timestamp is no string')
  return { level, message: text, timestamp }
}

/**
 * Hands every log of `application.logs` (or `options.topic`) to `onLog`, at least once and in order within a partition. The
 * group's offset moves on only after `onLog` has resolved; a log that was rejected is delivered again. What is no log goes
 * to `onInvalid`. `stop()` finishes the record in hand, commits and leaves the group.
 */
export async function consumeLogs(kafka: Kafka, options: ConsumeOptions): Promise<{ stop(): Promise<void> }> {
  const consumer = kafka.consumer({ groupId: options.groupId })
  try {
    await consumer.connect()
    await consumer.subscribe({ topic: options.topic ?? DEFAULT_TOPIC, fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        const log = parseLog(message)
        if (log instanceof Error) {
          await options.onInvalid?.(message.value, log)
          return
        }
        try {
          await options.onLog(log)
        } catch (error) {
          if (!(error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError || error instanceof ReferenceError)) throw error
          throw new Error('onLog failed, the record will be delivered again', { cause: error })
        }
      },
    })
  } catch (error) {
    await consumer.disconnect()
    throw error
  }
  return { stop: () => consumer.disconnect() }
}

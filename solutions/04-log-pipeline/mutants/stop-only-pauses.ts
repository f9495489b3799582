// Mistake: pauses instead of leaving the group.
// Fails: old-group-goes-on, stop-leaves-the-group, stop-waits-for-the-log-in-hand, stop-commits-what-was-handled
// Fails: no-leaked-connection
import type { Kafka } from 'kafkajs'

/** One record of the topic, as JSON; `timestamp` is when it was sent, ISO 8601 in UTC. */
interface Log {
  level: string
  message: string
  timestamp: string
}

const DEFAULT_TOPIC = 'application.logs'
const LEVELS: readonly string[] = ['DEBUG', 'INFO', 'WARN', 'ERROR']

/**
 * Writes logs to `topic` (`application.logs`), one record and one request each. Once `sendLog` has resolved all in-sync
 * replicas have the record; if it rejects, the record may or may not be there.
 */
export function createLogProducer(kafka: Kafka, options: { topic?: string } = {}): {
  connect(): Promise<void>
  sendLog(level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', message: string): Promise<void>
  disconnect(): Promise<void>
} {
  const topic = options.topic ?? DEFAULT_TOPIC
  const producer = kafka.producer()
  return {
    connect: () => producer.connect(),
    async sendLog(level, message) {
      if (!LEVELS.includes(level)) throw new TypeError(`no such level: ${String(level)}`)
      if (typeof message !== 'string') throw new TypeError('message must be a string')
      const log: Log = { level, message, timestamp: new Date().toISOString() }
      await producer.send({ topic, acks: -1, messages: [{ value: JSON.stringify(log) }] })
    },
    disconnect: () => producer.disconnect(),
  }
}

/**
 * Hands every log of `topic` (`application.logs`) to `onLog`, at least once and in the order of its partition. A new
 * group starts at the earliest record. An offset advances only once the handler has settled; a log whose handler
 * rejects comes again. What is no log goes to `onInvalid`.
 */
export async function consumeLogs(
  kafka: Kafka,
  options: {
    topic?: string
    groupId: string
    onLog(log: Log): void | Promise<void>
    onInvalid?(raw: Buffer | null, error: Error): void | Promise<void>
  },
): Promise<{ stop(): Promise<void> }> {
  let stopping = false
  const consumer = kafka.consumer({
    groupId: options.groupId,
    // A busy machine would end a short session, and leave the group in its place.
    sessionTimeout: 30_000,
    // Without this, a stop in the middle of a restart would be followed by the restart.
    retry: { restartOnFailure: async () => !stopping },
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topic: options.topic ?? DEFAULT_TOPIC, fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        const log = parseLog(message.value)
        await handle(() => (log instanceof Error ? options.onInvalid?.(message.value, log) : options.onLog(log)))
      },
    })
  } catch (error) {
    await consumer.disconnect()
    throw error
  }
  return {
    async stop() {
      stopping = true
      consumer.pause([{ topic: options.topic ?? DEFAULT_TOPIC }])
    },
  }
}

/** kafkajs never retries a TypeError, RangeError, SyntaxError or ReferenceError: its consumer ends. A plain Error comes again. */
async function handle(handler: () => void | Promise<void>): Promise<void> {
  try {
    await handler()
  } catch (cause) {
    throw new Error('the log was not handled', { cause })
  }
}

function parseLog(value: Buffer | null): Log | Error {
  if (value === null) return new Error('the record has no value')
  try {
    const found: unknown = JSON.parse(value.toString())
    return isLog(found) ? found : new Error('the record is no log')
  } catch (cause) {
    return new Error('the record is not JSON', { cause })
  }
}

function isLog(value: unknown): value is Log {
  if (typeof value !== 'object' || value === null) return false
  const { level, message, timestamp } = value as Partial<Record<keyof Log, unknown>>
  return typeof level === 'string' && typeof message === 'string' && typeof timestamp === 'string'
}

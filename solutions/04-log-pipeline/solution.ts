import type { Kafka } from 'kafkajs'

/** One line of the application's log. */
export interface Log {
  level: string
  message: string
  timestamp: string
}

const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR']

/** Sends logs to `topic` (`application.logs`), one record each; a log is safe once `sendLog` resolves. */
export function createLogProducer(kafka: Kafka, options: { topic?: string } = {}): {
  connect(): Promise<void>
  sendLog(level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', message: string): Promise<void>
  disconnect(): Promise<void>
} {
  const topic = options.topic ?? 'application.logs'
  const producer = kafka.producer({ allowAutoTopicCreation: false })
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

/** Hands every log of `topic` to `onLog`, at least once: an offset advances only after the handler has settled. */
export async function consumeLogs(
  kafka: Kafka,
  options: {
    topic?: string
    groupId: string
    onLog(log: Log): void | Promise<void>
    onInvalid?(raw: Buffer | null, error: Error): void | Promise<void>
  },
): Promise<{ stop(): Promise<void> }> {
  const consumer = kafka.consumer({ groupId: options.groupId })
  await consumer.connect()
  await consumer.subscribe({ topic: options.topic ?? 'application.logs', fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      const log = parseLog(message.value)
      if (log instanceof Error) {
        await options.onInvalid?.(message.value, log)
        return
      }
      try {
        await options.onLog(log)
      } catch (cause) {
        // A TypeError or SyntaxError of the handler would end a kafkajs consumer for ever; a plain Error is retried.
        throw new Error('the log was not handled', { cause })
      }
    },
  })
  return {
    async stop() {
      await consumer.stop()
      await consumer.disconnect()
    },
  }
}

function parseLog(value: Buffer | null): Log | Error {
  if (value === null) return new Error('a record without a value')
  try {
    const log: unknown = JSON.parse(value.toString())
    return isLog(log) ? log : new Error('a record that is no log')
  } catch (cause) {
    return new Error('a record that is not JSON', { cause })
  }
}

function isLog(value: unknown): value is Log {
  if (typeof value !== 'object' || value === null) return false
  const { level, message, timestamp } = value as Record<string, unknown>
  return typeof level === 'string' && typeof message === 'string' && typeof timestamp === 'string'
}

// Way: classes that keep their state to themselves, the logs included; the producer connects when it is first needed.
import { KafkaJSError, type Consumer, type EachMessagePayload, type Kafka, type Producer } from 'kafkajs'

type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'

interface Log { level: string; message: string; timestamp: string }

interface Handlers {
  onLog(log: Log): void | Promise<void>
  onInvalid?(raw: Buffer | null, error: Error): void | Promise<void>
}

const LEVELS = new Set<string>(['DEBUG', 'INFO', 'WARN', 'ERROR'] satisfies Level[])

/** A log that nobody can change. */
class LogEntry implements Log {
  readonly #fields: readonly string[]
  readonly timestamp: string

  constructor(level: string, message: string, timestamp: string) {
    this.#fields = [level, message]
    this.timestamp = timestamp
  }

  get level(): string {
    return this.#fields[0] ?? ''
  }

  get message(): string {
    return this.#fields[1] ?? ''
  }
}

class LogProducer {
  readonly #producer: Producer
  readonly #topic: string
  #connected: Promise<void> | undefined

  constructor(kafka: Kafka, topic: string) {
    this.#producer = kafka.producer({ allowAutoTopicCreation: false })
    this.#topic = topic
  }

  /** Does nothing: the first log connects. */
  async connect(): Promise<void> {}

  async sendLog(level: Level, message: string): Promise<void> {
    if (!LEVELS.has(level)) throw new TypeError('level must be DEBUG, INFO, WARN or ERROR')
    if (typeof message !== 'string') throw new TypeError('message must be a string')
    this.#connected ??= this.#producer.connect()
    await this.#connected
    const timestamp = new Date().toISOString().replace(/\.\d+/, '')
    await this.#producer.send({ topic: this.#topic, messages: [{ key: level, value: JSON.stringify({ timestamp, level, message, host: 'web-1' }) }] })
  }

  async disconnect(): Promise<void> {
    await this.#producer.disconnect()
  }
}

class LogConsumer {
  readonly #consumer: Consumer
  readonly #handlers: Handlers

  constructor(kafka: Kafka, groupId: string, handlers: Handlers) {
    this.#consumer = kafka.consumer({ groupId })
    this.#handlers = handlers
  }

  async start(topic: string): Promise<this> {
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topics: [topic], fromBeginning: true })
    await this.#consumer.run({ eachMessage: (payload) => this.#handle(payload), partitionsConsumedConcurrently: 3 })
    return this
  }

  async stop(): Promise<void> {
    await this.#consumer.stop()
    await this.#consumer.disconnect()
  }

  async #handle({ message: { value } }: EachMessagePayload): Promise<void> {
    const read = readLog(value)
    try {
      if ('log' in read) await this.#handlers.onLog(read.log)
      else await this.#handlers.onInvalid?.(value, read.error)
    } catch (error) {
      throw new KafkaJSError(`the handler failed: ${String(error)}`)
    }
  }
}

function readLog(value: Buffer | null): { log: Log } | { error: Error } {
  try {
    const { level, message, timestamp } = JSON.parse(value?.toString('utf8') ?? 'null') as Record<string, unknown>
    for (const field of [level, message, timestamp]) if (typeof field !== 'string') throw new TypeError('a field is missing')
    return { log: new LogEntry(String(level), String(message), String(timestamp)) }
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }
}

/** Writes to `application.logs` or the topic given; a log is on all in-sync replicas once `sendLog` has resolved. */
export function createLogProducer(kafka: Kafka, { topic = 'application.logs' }: { topic?: string } = {}): LogProducer {
  return new LogProducer(kafka, topic)
}

/** Reads `application.logs` or the topic given, at least once, from the earliest record on. */
export async function consumeLogs(
  kafka: Kafka,
  { topic = 'application.logs', groupId, ...handlers }: Handlers & { topic?: string; groupId: string },
): Promise<{ stop(): Promise<void> }> {
  return new LogConsumer(kafka, groupId, handlers).start(topic)
}

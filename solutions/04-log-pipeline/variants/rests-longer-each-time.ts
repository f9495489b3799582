// Way: after each failure the partition rests for longer, up to three seconds, while the others go on; text is decoded strictly.
import type { EachBatchPayload, Kafka } from 'kafkajs'

interface Log {
  level: string
  message: string
  timestamp: string
}

const DEFAULT_TOPIC = 'application.logs'
const LEVEL = /^(?:DEBUG|INFO|WARN|ERROR)$/
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const isText = (value: unknown): value is string => typeof value === 'string'

const isLog = (value: unknown): value is Log => {
  if (typeof value !== 'object' || value === null) return false
  const { level, message, timestamp }: { level?: unknown; message?: unknown; timestamp?: unknown } = value
  return isText(level) && isText(message) && isText(timestamp)
}

const parse = (bytes: Buffer | null): Log => {
  if (bytes === null) throw new TypeError('A record without a value is no log')
  const json: unknown = JSON.parse(UTF8.decode(bytes))
  if (!isLog(json)) throw new TypeError('level, message and timestamp have to be strings')
  return json
}

/**
 * Creates a producer of logs. Topic: `application.logs`, or the one in `options`. Guarantee: a log whose `sendLog` has
 * resolved is stored by all in-sync replicas; any other ends in a rejection (a `TypeError`, and no record, for an
 * unknown level or for a message that is no string).
 */
export const createLogProducer = (
  kafka: Kafka,
  options?: { topic?: string },
): {
  connect(): Promise<void>
  sendLog(level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', message: string): Promise<void>
  disconnect(): Promise<void>
} => {
  const topic = options?.topic ?? DEFAULT_TOPIC
  const producer = kafka.producer({ metadataMaxAge: 60_000 })
  let sending = 0
  let closing = false
  const waiting: (() => void)[] = []

  return {
    connect: async () => {
      try {
        await producer.connect()
        closing = false
      } catch (error) {
        await producer.disconnect().catch(() => undefined)
        throw error
      }
    },
    sendLog: async (level, message) => {
      if (!isText(level) || !LEVEL.test(level)) throw new TypeError('The level has to be DEBUG, INFO, WARN or ERROR')
      if (!isText(message)) throw new TypeError('The message has to be a string')
      if (closing) throw new Error('The producer is closed')
      const value = JSON.stringify({ level, message, timestamp: new Date().toISOString() }, null, 1)
      sending += 1
      try {
        await producer.send({ topic, messages: [{ value }] })
      } finally {
        sending -= 1
        if (sending === 0) for (const resolve of waiting.splice(0)) resolve()
      }
    },
    disconnect: async () => {
      closing = true
      if (sending > 0) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
        })
      }
      await producer.disconnect()
    },
  }
}

/**
 * Consumes logs. Topic: `application.logs`, or the one in `options`. Guarantee: every log is handled at least once, in the
 * order of its partition. After a failure of `onLog` its partition rests for a moment and then goes on with the same
 * record. Offsets follow what `onLog` and `onInvalid` have finished, never run ahead of it. `stop` ends after the record
 * in hand, with its offset committed, the group left and the connections closed.
 */
export const consumeLogs = async (
  kafka: Kafka,
  options: {
    topic?: string
    groupId: string
    onLog(log: { level: string; message: string; timestamp: string }): void | Promise<void>
    onInvalid?(raw: Buffer | null, error: Error): void | Promise<void>
  },
): Promise<{ stop(): Promise<void> }> => {
  const resting = new Map<number, { failures: number; timer: ReturnType<typeof setTimeout> | undefined }>()
  let stopping = false
  const consumer = kafka.consumer({
    groupId: options.groupId,
    maxWaitTimeInMs: 250,
    retry: { restartOnFailure: () => Promise.resolve(!stopping) },
  })

  const rest = (partition: number, pause: () => () => void): void => {
    const failures = (resting.get(partition)?.failures ?? 0) + 1
    const resume = pause()
    const timer = setTimeout(resume, Math.min(50 * 2 ** failures, 3000))
    resting.set(partition, { failures, timer })
  }

  /** Whether the record is done with: handled as a log, or set aside as none. */
  const handle = async (value: Buffer | null): Promise<boolean> => {
    let log: Log | undefined
    let problem = new Error('The record is no log')
    try {
      log = parse(value)
    } catch (error) {
      if (error instanceof Error) problem = error
    }
    try {
      await (log === undefined ? options.onInvalid?.(value, problem) : options.onLog(log))
      return true
    } catch {
      return false
    }
  }

  const eachBatch = async ({ batch, resolveOffset, heartbeat, pause, isRunning, isStale }: EachBatchPayload) => {
    for (const { offset, value } of batch.messages) {
      if (!isRunning() || isStale()) break
      if (!(await handle(value))) {
        if (isRunning()) rest(batch.partition, pause)
        break
      }
      resting.delete(batch.partition)
      resolveOffset(offset)
      await heartbeat()
    }
  }

  const stop = async (): Promise<void> => {
    stopping = true
    for (const { timer } of resting.values()) clearTimeout(timer)
    await consumer.disconnect()
    for (const { timer } of resting.values()) clearTimeout(timer)
  }

  const crashed: Error[] = []
  const off = consumer.on(consumer.events.CRASH, ({ payload }) => {
    crashed.push(payload.error)
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [options.topic ?? DEFAULT_TOPIC], fromBeginning: true })
    await consumer.run({ eachBatch, eachBatchAutoResolve: false, partitionsConsumedConcurrently: 2 })
    if (crashed[0] !== undefined) throw crashed[0]
  } catch (error) {
    await stop().catch(() => undefined)
    throw error
  } finally {
    off()
  }
  return { stop }
}

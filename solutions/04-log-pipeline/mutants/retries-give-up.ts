// Mistake: a rejected log is tried five times, then skipped
// Fails: rejected-log-comes-again, any-error-is-survived
import { setTimeout as sleep } from 'node:timers/promises'
import type { EachBatchPayload, Kafka } from 'kafkajs'

type Log = { level: string; message: string; timestamp: string }

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function toLog(value: Buffer | null): Log {
  if (!value) throw new Error('no value')
  const json: unknown = JSON.parse(value.toString())
  if (!isRecord(json)) throw new Error('not a JSON object')
  const field = (name: keyof Log): string => {
    const text = json[name]
    if (typeof text === 'string') return text
    throw new Error(`${name} must be a string`)
  }
  return { level: field('level'), message: field('message'), timestamp: field('timestamp') }
}

/**
 * A producer that writes each log as one JSON record to `application.logs`, or to `options.topic`.
 * `sendLog` resolves when all in-sync replicas have acknowledged, and rejects otherwise.
 */
export function createLogProducer(
  kafka: Kafka,
  { topic = 'application.logs' }: { topic?: string } = {},
): {
  connect(): Promise<void>
  sendLog(level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', message: string): Promise<void>
  disconnect(): Promise<void>
} {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  return {
    connect: async () => {
      await producer.connect()
    },
    sendLog: async (level, message) => {
      if (!['DEBUG', 'INFO', 'WARN', 'ERROR'].includes(level)) throw new TypeError(`no such level: ${String(level)}`)
      if (typeof message !== 'string') throw new TypeError(`message must be a string, got ${typeof message}`)
      await producer.send({
        topic,
        messages: [{ key: level, value: JSON.stringify({ level, message, timestamp: new Date().toISOString() }) }],
      })
    },
    disconnect: async () => {
      await producer.disconnect()
    },
  }
}

/**
 * Consumes `application.logs` (or `options.topic`), at least once: the offset of a record is resolved only after `onLog`
 * or `onInvalid` settled. A failing `onLog` is called again, in place, until it succeeds, the group rebalances or `stop()`.
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
  const consumer = kafka.consumer({ groupId: options.groupId })

  async function handle(value: Buffer | null, { heartbeat, isRunning, isStale }: EachBatchPayload): Promise<boolean> {
    let log: Log
    try {
      log = toLog(value)
    } catch (error) {
      await options.onInvalid?.(value, error instanceof Error ? error : new Error(String(error)))
      return true
    }
    for (let delay = 50, tries = 0; tries < 5; tries += 1, delay = Math.min(delay * 2, 500)) {
      try {
        await options.onLog(log)
        return true
      } catch {
        if (!isRunning() || isStale()) return false
      }
      await sleep(delay)
      if (!isRunning() || isStale()) return false
      await heartbeat()
    }
    return true
  }

  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [options.topic ?? 'application.logs'], fromBeginning: true })
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => {
        for (const message of payload.batch.messages) {
          if (!payload.isRunning() || payload.isStale()) return
          if (!(await handle(message.value, payload))) return
          payload.resolveOffset(message.offset)
          await payload.heartbeat()
        }
      },
    })
  } catch (error) {
    await consumer.disconnect().catch(() => undefined)
    throw error
  }

  return {
    async stop() {
      await consumer.disconnect()
    },
  }
}

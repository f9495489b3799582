import net from 'node:net'
import type { Redis } from 'ioredis'
import type { ClientSpec } from '../protocol.ts'
import { ioredis, kafkajs } from './libraries.ts'

/** Builds the client a learner's function receives: an ordinary one, whose server is the wire at `spec.path`. */
export async function openClient(spec: ClientSpec): Promise<object> {
  return spec.kind === 'redis' ? openRedis(spec) : openKafka(spec)
}

/** Ends a client's connection; resolves once it is gone. */
export async function closeClient(client: object): Promise<void> {
  if (!('disconnect' in client && typeof client.disconnect === 'function')) return
  const redis = client as Redis
  // A client that has lost its connection says nothing more when it is told to give up, but would wait for two seconds
  // for the lost one to close (`disconnectTimeout`), and keep the process from being used again.
  const connected = redis.status === 'ready' || redis.status === 'connect' || redis.status === 'connecting'
  if (!connected) (redis as unknown as { connector: { stream: unknown } }).connector.stream = null
  const ended = connected ? new Promise<void>((resolve) => { redis.once('end', resolve) }) : undefined
  redis.disconnect(false)
  await ended
}

async function openRedis(spec: ClientSpec & { kind: 'redis' }): Promise<Redis> {
  const redis = new ioredis.Redis({
    path: spec.path,
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: spec.retriesPerRequest,
    retryStrategy: spec.reconnects ? () => 10 : () => null,
  })
  // A lost connection is part of many checks; without a listener ioredis would print it.
  redis.on('error', () => {})
  await redis.connect()
  return redis
}

function openKafka(spec: ClientSpec & { kind: 'kafka' }): object {
  const kafka = new kafkajs.Kafka({
    clientId: 'learner',
    brokers: ['broker:9092'],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: spec.retries, initialRetryTime: 20, maxRetryTime: 500 },
    // Every broker address the cluster tells of is the same wire.
    socketFactory: ({ onConnect }) => net.connect({ path: spec.path }, onConnect),
  })
  return withFastConsumers(kafka)
}

/**
 * Unset consumer options get fast values, so that a rebalance takes milliseconds; what learner code sets itself stays.
 * Same behaviour, shorter waits.
 */
function withFastConsumers<K extends { consumer(options: never): unknown }>(kafka: K): K {
  const consumer = kafka.consumer.bind(kafka) as (options: object) => unknown
  kafka.consumer = ((options: object) =>
    consumer({
      maxWaitTimeInMs: 50, heartbeatInterval: 200, sessionTimeout: 1500, rebalanceTimeout: 3000,
      retry: { retries: 5, initialRetryTime: 20, maxRetryTime: 500 },
      ...options,
    })) as K['consumer']
  return kafka
}

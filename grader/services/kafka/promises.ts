/** What every kind of Kafka promises to those who lease it, as tests: called once for each kind. */
import { randomBytes } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { disposable } from '#services/redis/promises.ts'
import { acquire, type KafkaEndpoint, type ServiceKind } from '#services/services.ts'
import { quietRequestQueue } from '#wire/kafkajs-quiet.ts'

quietRequestQueue()

export function kafkaPromises(kind: ServiceKind, { isOurs }: { isOurs: boolean }): void {
  const lease = () => acquire({ redis: 0, kafka: true }, { kind })

  test('carries a record from a producer to a group, and nothing to Redis', async () => {
    await using leased = disposable(await lease())
    expect(leased.redis).toEqual([])
    expect(leased.kafka!.from).toBe(kind)
    if (isOurs) expect(leased.kafka!.version).toMatch(/^\d+\.\d+\.\d+$/)
    const topic = await newTopic(leased.kafka!)
    expect(await roundTrip(leased.kafka!, topic)).toBe('hello')
  })

  test('commits a transaction', async () => {
    await using leased = disposable(await lease())
    const topic = await newTopic(leased.kafka!)
    const settings = { transactionalId: topic, idempotent: true, maxInFlightRequests: 1 }
    const producer = client(leased.kafka!).producer(settings)
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'hello' }] })
    await transaction.commit()
    await producer.disconnect()
    expect(await read(leased.kafka!, topic)).toBe('hello')
  })

  if (!isOurs) return
  test('has no topics of an earlier lease, and keeps those of a lease that still lasts', async () => {
    const first = disposable(await lease())
    const topic = await newTopic(first.kafka!)
    {
      await using second = disposable(await lease())
      expect(second.kafka!.brokers).toEqual(first.kafka!.brokers)
    }
    expect(await topics(first.kafka!)).toContain(topic)
    await first.release()
    await using next = disposable(await lease())
    expect(await topics(next.kafka!)).not.toContain(topic)
  })
}

export async function roundTrip(endpoint: KafkaEndpoint, topic: string): Promise<string> {
  const producer = client(endpoint).producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'hello' }] })
  await producer.disconnect()
  return read(endpoint, topic)
}

export async function newTopic(endpoint: KafkaEndpoint): Promise<string> {
  const topic = `test-${randomBytes(4).toString('hex')}`
  const admin = client(endpoint).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true })
  await admin.disconnect()
  return topic
}

async function topics(endpoint: KafkaEndpoint): Promise<string[]> {
  const admin = client(endpoint).admin()
  await admin.connect()
  const names = await admin.listTopics()
  await admin.disconnect()
  return names
}

async function read(endpoint: KafkaEndpoint, topic: string): Promise<string> {
  const consumer = client(endpoint).consumer({ groupId: topic, maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const value = await new Promise<string>((resolve, reject) => {
    consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) }).catch(reject)
  })
  await consumer.disconnect()
  return value
}

function client({ brokers }: KafkaEndpoint): Kafka {
  return new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { initialRetryTime: 20, retries: 20, factor: 0.1 } })
}

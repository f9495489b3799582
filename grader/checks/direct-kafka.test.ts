import { randomUUID } from 'node:crypto'
import kafkajs, { type Admin, type Kafka, type Producer } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { acquire, type Lease } from '#services/services.ts'
import { quietRequestQueue } from '#wire/kafkajs-quiet.ts'
import { openDirect, type DirectKafka } from './direct-kafka.ts'

withOwnKeeper({ KIT_SERVICES: 'processes' })
quietRequestQueue()

let lease: Lease
let kafka: Kafka
let admin: Admin
let producer: Producer
let direct: DirectKafka

beforeAll(async () => {
  lease = await acquire({ redis: 0, kafka: true })
  kafka = new kafkajs.Kafka({ brokers: lease.kafka!.brokers, logLevel: kafkajs.logLevel.NOTHING })
  admin = kafka.admin()
  producer = kafka.producer({ allowAutoTopicCreation: false })
  await Promise.all([admin.connect(), producer.connect()])
  direct = await openDirect(lease.kafka!.brokers)
})
afterAll(async () => {
  await Promise.all([admin.disconnect(), producer.disconnect(), direct.close()])
  await lease.release()
})

async function topicOf(numPartitions: number): Promise<string> {
  const topic = `t-${randomUUID()}`
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true })
  await expect.poll(() => direct.hosts(topic)).toBe(true)
  return topic
}

const valuesOn = async (topic: string): Promise<string[]> => (await direct.records(topic)).map(({ value }) => String(value))

test('a topic that nobody has made is not hosted', async () => {
  expect(await direct.hosts(`t-${randomUUID()}`)).toBe(false)
})

test('it reads every partition in order, and goes on where it was', async () => {
  const topic = await topicOf(2)
  expect([await direct.ends(topic), await direct.records(topic)]).toEqual([[0, 0], []])
  await producer.send({ topic, messages: [{ partition: 1, value: 'c' }, { partition: 0, value: 'a' }, { partition: 0, value: 'b' }] })
  expect(await valuesOn(topic)).toEqual(['a', 'b', 'c'])
  await producer.send({ topic, messages: [{ partition: 0, value: 'b2' }] })
  expect([await direct.ends(topic), await valuesOn(topic)]).toEqual([[3, 1], ['a', 'b', 'b2', 'c']])
})

test('looks at the same time see every record once', async () => {
  const topic = await topicOf(1)
  await producer.send({ topic, messages: ['a', 'b', 'c'].map((value) => ({ value })) })
  expect(await Promise.all([valuesOn(topic), valuesOn(topic), direct.ends(topic), valuesOn(topic)]))
    .toEqual([['a', 'b', 'c'], ['a', 'b', 'c'], [3], ['a', 'b', 'c']])
})

test('more than one answer holds is read to the end', async () => {
  const topic = await topicOf(1)
  for (let i = 0; i < 24; i++) await producer.send({ topic, messages: [{ key: String(i), value: Buffer.alloc(900_000) }] })
  expect((await direct.records(topic)).map(({ key }) => Number(key))).toEqual(Array.from({ length: 24 }, (_, i) => i))
})

test('what is not committed is neither read nor counted, and what was aborted never is', async () => {
  const topic = await topicOf(1)
  const transactional = kafka.producer({ transactionalId: randomUUID(), maxInFlightRequests: 1, idempotent: true })
  await transactional.connect()
  try {
    const first = await transactional.transaction()
    await first.send({ topic, messages: [{ value: 'aborted' }] })
    expect([await direct.ends(topic), await valuesOn(topic)]).toEqual([[0], []])
    await first.abort()
    const second = await transactional.transaction()
    await second.send({ topic, messages: [{ value: 'committed' }] })
    await second.commit()
    // Each transaction ends with a control record, which takes an offset.
    await expect.poll(() => direct.ends(topic)).toEqual([4])
    expect(await valuesOn(topic)).toEqual(['committed'])
  } finally {
    await transactional.disconnect()
  }
})

test('it commits for a group without members, and tells what is committed', async () => {
  const topic = await topicOf(2)
  const group = randomUUID()
  await expect.poll(() => direct.committed(group, topic)).toEqual([-1, -1])
  await direct.commit(group, topic, [3, 0])
  expect(await direct.committed(group, topic)).toEqual([3, 0])
})

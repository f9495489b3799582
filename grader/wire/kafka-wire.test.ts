import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import kafkajs, { type Kafka } from 'kafkajs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { quietRequestQueue } from '#wire/kafkajs-quiet.ts'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { acquire, type Lease } from '#services/services.ts'
import { namedTopics, openKafkaWire, producedAcks, type KafkaWire } from './kafka-wire.ts'

withOwnKeeper({ KIT_SERVICES: 'processes' })
quietRequestQueue()

let lease: Lease
let direct: Kafka
let folder: string
const topic = `t-${randomUUID()}`
const other = `other-${randomUUID()}`
let sockets = 0

const kafkaOf = (config: object): Kafka =>
  new kafkajs.Kafka({ clientId: 'test', brokers: ['broker:9092'], logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 2, initialRetryTime: 20 }, ...config })

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wire-'))
  lease = await acquire({ redis: 0, kafka: true })
  direct = kafkaOf({ brokers: lease.kafka!.brokers })
  const admin = direct.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic }, { topic: other }], waitForLeaders: true })
  await admin.disconnect()
})
afterAll(async () => {
  await lease.release()
  fs.rmSync(folder, { recursive: true })
})

async function wired(topics?: ReadonlySet<string>): Promise<{ wire: KafkaWire; kafka: Kafka }> {
  const [host, port] = lease.kafka!.brokers[0]!.split(':')
  const wire = await openKafkaWire(path.join(folder, `${++sockets}.sock`), { host: host!, port: Number(port) }, topics)
  onTestFinished(() => wire.close())
  return { wire, kafka: kafkaOf({ socketFactory: ({ onConnect }: { onConnect(): void }) => net.connect({ path: wire.socket }, onConnect) }) }
}

test('it reads what a producer asks for', async () => {
  const { wire, kafka } = await wired()
  const producer = kafka.producer()
  await producer.connect()
  onTestFinished(() => producer.disconnect())
  await producer.send({ topic, acks: -1, messages: [{ value: 'a' }] })
  await producer.send({ topic, acks: 1, messages: [{ value: 'b' }, { value: 'c' }] })
  expect(wire.requests('Produce').map(producedAcks)).toEqual([-1, 1])
  expect(wire.log.flatMap(namedTopics)).toContain(topic)
})

test('a held reply keeps the call pending; a lost one is sent again by the client', async () => {
  const { wire, kafka } = await wired()
  const producer = kafka.producer()
  await producer.connect()
  onTestFinished(() => producer.disconnect())
  let answer = (): void => {}
  wire.replyGate = (request) => (request.api === 'Produce' ? new Promise((resolve) => { answer = () => resolve('pass') }) : 'pass')
  let settled = false
  const call = producer.send({ topic, messages: [{ value: 'held' }] }).finally(() => { settled = true })
  await expect.poll(() => wire.requests('Produce').some(({ answered }) => answered)).toBe(true)
  expect(settled).toBe(false)
  answer()
  await call
  let losses = 0
  wire.forget()
  wire.replyGate = (request) => (request.api === 'Produce' && losses++ === 0 ? 'lose' : 'pass')
  await producer.send({ topic, messages: [{ value: 'lost' }] })
  expect(wire.requests('Produce').map(({ fate }) => fate)).toEqual(['lost', 'passed'])
})

test('nobody finds topics they were not told of, and topics cannot be deleted', async () => {
  const { kafka } = await wired()
  const admin = kafka.admin()
  await admin.connect()
  onTestFinished(() => admin.disconnect())
  expect(await admin.listTopics()).toEqual([])
  expect((await admin.fetchTopicOffsets(topic)).length).toBe(1)
  await expect(admin.listGroups()).rejects.toThrow()
  await expect(admin.deleteTopics({ topics: [other] })).rejects.toThrow()
  const past = direct.admin()
  await past.connect()
  onTestFinished(() => past.disconnect())
  expect(await past.listTopics()).toContain(other)
})

test('a list of all topics holds those it may hold', async () => {
  const { kafka } = await wired(new Set([topic, other]))
  const admin = kafka.admin()
  await admin.connect()
  onTestFinished(() => admin.disconnect())
  expect((await admin.listTopics()).toSorted()).toEqual([topic, other].toSorted())
  expect((await admin.fetchTopicMetadata()).topics.map(({ name }) => name).toSorted()).toEqual([topic, other].toSorted())
})

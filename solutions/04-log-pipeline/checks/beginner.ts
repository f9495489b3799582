/**
 * What a pipeline is: a log that was sent is a JSON record on the topic, text and level as they were given and the time
 * in UTC, and whoever consumes the topic gets it, also when it was sent before.
 */
import { setTimeout as pause } from 'node:timers/promises'
import {
  both, check, escaped, holds, methods, namedTopics, same, settled, shown, until, type KafkaWire, type Learner,
} from '#checks'
import { collect, jsonOf, makeConsumer, messagesOf, openProducer, record, type Log } from './pipeline.ts'

check('logs-arrive', async ({ learner, kafka, did }) => {
  did(both('started a consumer, then sent a log of every level', 'khởi động consumer rồi gửi log ở mọi cấp độ'))
  const topic = await kafka.topic()
  const { consumer, seen } = await collect(learner, { topic, groupId: kafka.name('g') })
  const producer = await openProducer(learner, topic)
  const sent = ['DEBUG', 'INFO', 'WARN', 'ERROR'].map((level, i) => ({ level, message: `log ${i + 1}` }))
  for (const { level, message } of sent) await producer.sendLog(level, message)
  await until(() => messagesOf(seen).length >= sent.length,
    both('onLog to be called for each of four logs', 'onLog được gọi cho từng log trong bốn log'))
  const got = new Map(seen.map(({ level, message }) => [message, level]))
  for (const { level, message } of sent) same(got.get(message), level,
    both(`the level of "${message}" as onLog got it`, `level của "${message}" mà onLog nhận được`))
  holds(seen.every(({ timestamp }) => typeof timestamp === 'string'),
    both('the timestamp that onLog got', 'timestamp mà onLog nhận được'),
    both('a string', 'một chuỗi'), shown(seen.find(({ timestamp }) => typeof timestamp !== 'string')?.timestamp))
  await Promise.all([consumer.stop(), producer.disconnect()])
})

check('records-are-json', async ({ learner, kafka, did }) => {
  did(both('sent two logs and read the records on the topic', 'gửi hai log rồi đọc các bản ghi trên topic'))
  const topic = await kafka.topic()
  const producer = await openProducer(learner, topic)
  await producer.sendLog('INFO', 'disk cleaned')
  await producer.sendLog('ERROR', 'disk full')
  const values = (await kafka.read(topic, 2)).map(({ value }) => jsonOf(value))
  same(new Set(values.map((value) => pick(value, ['level', 'message']))),
    new Set([{ level: 'INFO', message: 'disk cleaned' }, { level: 'ERROR', message: 'disk full' }]),
    both('level and message in the values', 'level và message trong value'))
  const timestamps = values.map((value) => pick(value, ['timestamp']).timestamp)
  holds(timestamps.every((timestamp) => typeof timestamp === 'string'),
    both('the timestamp in the values', 'timestamp trong value'),
    both('a string', 'một chuỗi'), shown(timestamps.find((timestamp) => typeof timestamp !== 'string')))
  await producer.disconnect()
})

check('timestamps-are-utc', async ({ learner, kafka, did }) => {
  did(both('sent a log and looked at the timestamp of its record, then sent another one a little later',
    'gửi một log rồi xem timestamp trong bản ghi, sau đó một chút gửi thêm một log'))
  const topic = await kafka.topic()
  const producer = await openProducer(learner, topic)
  const before = Date.now()
  await producer.sendLog('INFO', 'what time is it?')
  const [sent] = await kafka.read(topic, 1)
  const { timestamp } = pick(jsonOf(sent!.value), ['timestamp'])
  const written = typeof timestamp === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d+)?)?Z$/.test(timestamp)
  holds(written,
    both('the timestamp', 'timestamp'),
    both('ISO 8601 in UTC, such as 2026-03-01T09:15:00.000Z',
      'ISO 8601 theo UTC, ví dụ 2026-03-01T09:15:00.000Z'), shown(timestamp))
  // A wrong time zone is off by a quarter of an hour at least; a minute leaves room for any precision.
  const off = Math.abs(Date.parse((timestamp as string).replace(',', '.')) - before)
  holds(off < 60_000 + (Date.now() - before),
    both('the timestamp', 'timestamp'),
    both(`the time of sending, ${new Date(before).toISOString()}`,
      `thời điểm gửi, ${new Date(before).toISOString()}`), shown(timestamp))
  // As soon as the clock shows another time, in the precision chosen; who leaves out the seconds is not waited for.
  const unit = /[.,]\d{3}/.test(timestamp as string) ? 2 : /:\d\d:\d\d/.test(timestamp as string) ? 1001 : 0
  if (unit > 0) {
    await pause(unit)
    await producer.sendLog('INFO', 'and now?')
    const later = (await kafka.read(topic, 2)).map(({ value }) => pick(jsonOf(value), ['timestamp']).timestamp).find((other) => other !== timestamp)
    holds(later !== undefined,
      both(`the timestamp of a log sent ${unit} ms later`, `timestamp của log được gửi sau đó ${unit} ms`),
      both('another one', 'một giá trị khác'), both('the same', 'vẫn như cũ'))
  }
  await producer.disconnect()
})

const TEXTS = [
  'she said "no" \\ and left', 'one\ntwo\r\n\tthree', '\u0000\b\f\u001b[31mred', 'Đơn hàng đã giao 🚚', 'cafe\u0301', 'cut off \ud83d', '{"level":"DEBUG"}',
  '  ', 'null', 'x'.repeat(20_000), '',
]

check('any-text-arrives-unchanged', async ({ learner, kafka, did }) => {
  did(both('sent messages with quotes, line breaks, control characters, accented letters, an emoji, half a character, a very long one and an empty one',
    'gửi các message có dấu nháy, xuống dòng, ký tự điều khiển, chữ có dấu, emoji, nửa ký tự, một message rất dài và một message rỗng'))
  const topic = await kafka.topic()
  const { consumer, seen } = await collect(learner, { topic, groupId: kafka.name('g') })
  const producer = await openProducer(learner, topic)
  for (const text of TEXTS) await producer.sendLog('INFO', text)
  await producer.sendLog('INFO', 'the end')
  await until(() => messagesOf(seen).includes('the end'), both('the last of the logs', 'log cuối cùng'))
  const got = messagesOf(seen)
  const unsent = got.filter((message) => message !== 'the end' && !TEXTS.includes(message))
  for (const text of TEXTS) {
    const spelt = (value: unknown): string => (text === text.normalize() ? shown(value) : escaped(shown(value)))
    holds(got.includes(text),
      both(`the message ${spelt(text)}`, `message ${spelt(text)}`),
      both('in what onLog got', 'có trong những gì onLog nhận được'),
      unsent.length === 0 ? both('nothing like it', 'không có gì giống vậy') : both(`what nobody sent: ${spelt(unsent)}`, `thứ không ai gửi: ${spelt(unsent)}`))
  }
  await Promise.all([consumer.stop(), producer.disconnect()])
})

check('new-group-starts-at-the-earliest', async ({ learner, kafka, did }) => {
  did(both('wrote three logs, and only then started a consumer of a new group',
    'ghi ba log rồi mới khởi động consumer của một group mới'))
  const topic = await kafka.topic()
  await kafka.produce(topic, ['1', '2', '3'].map((message) => record(message)))
  const seen: Log[] = []
  const consumer = await makeConsumer(learner, { topic, groupId: kafka.name('g'), onLog: async (log) => { seen.push(log) } })
  await until(() => messagesOf(seen).length >= 3,
    both('the three logs that were there before the consumer', 'ba log đã có trước khi consumer khởi động'))
  same(messagesOf(seen), ['1', '2', '3'], both('what onLog got', 'những gì onLog nhận được'))
  await consumer.stop()
})

check('topic-is-application-logs', async ({ learner, kafka, did }) => {
  did(both('made a producer and a consumer without a topic, looked at which one they ask for and cut them off at that',
    'tạo producer và consumer không truyền topic, xem chúng hỏi topic nào và cắt kết nối lúc đó'))
  const writer = await nowhere(learner)
  const producer = methods(await writer.call('createLogProducer', writer.kafka), ['connect', 'sendLog', 'disconnect'],
    both('createLogProducer', 'createLogProducer'))
  const sending = settled(producer.connect().then(() => producer.sendLog('INFO', 'to whom?')))
  await until(() => topicsOf(writer.kafkaWire).length > 0,
    both('the producer to ask for its topic', 'producer hỏi topic của nó'))
  same(topicsOf(writer.kafkaWire), ['application.logs'],
    both('the topic of createLogProducer(kafka)', 'topic của createLogProducer(kafka)'))
  await sending
  await producer.disconnect()
  const reader = await nowhere(learner)
  const consuming = settled(reader.call('consumeLogs', reader.kafka, { groupId: kafka.name('g'), onLog: async () => {} }))
  await until(() => topicsOf(reader.kafkaWire).length > 0,
    both('the consumer to ask for its topic', 'consumer hỏi topic của nó'))
  same(topicsOf(reader.kafkaWire), ['application.logs'],
    both('the topic of consumeLogs without one', 'topic của consumeLogs khi không truyền topic'))
  await consuming
})

/** A client that is cut off as soon as it asks for a topic: the default one belongs to everybody. */
async function nowhere(learner: Learner): Promise<Learner> {
  const client = await learner.withKafka({ retries: 1 })
  client.kafkaWire.gate = (request) => (namedTopics(request).length > 0 ? 'cut' : 'pass')
  return client
}

function topicsOf(wire: KafkaWire): string[] {
  return [...new Set(wire.log.flatMap(namedTopics))]
}

function pick<const K extends string>(value: unknown, keys: readonly K[]): Partial<Record<K, unknown>> {
  const object = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<K, unknown>>
  return Object.fromEntries(keys.map((key) => [key, object[key]])) as Partial<Record<K, unknown>>
}

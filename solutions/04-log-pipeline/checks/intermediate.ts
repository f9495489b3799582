/**
 * Sent means stored: a log that could not be written is an error, and what is no log is never sent. What a group has
 * handled stays handled, in the order of the partition; a log whose handler fails comes again, and a record that is no
 * log is set aside without holding up the others.
 */
import { atMost, both, check, holds, LearnerError, producedAcks, quiet, refuses, same, settled, shown, until } from '#checks'
import type { Message } from 'kafkajs'
import {
  collect, commitsForABacklog, commitUnderWay, messagesOf, numbered, openProducer, reaches, record, startConsumer,
  untilWritten, warmTopic, type Log,
} from './pipeline.ts'
import { isNotDone, setsAside, survives, type World } from './trouble.ts'

check('send-waits-for-the-broker', async ({ learner, kafka, did }) => {
  did(both('held back the broker\'s answer to sendLog', 'giữ lại phản hồi của broker cho sendLog'))
  const topic = await kafka.topic()
  const producer = await openProducer(learner, topic)
  await producer.sendLog('INFO', 'warm-up')
  learner.kafkaWire.forget()
  const answer = Promise.withResolvers<'pass'>()
  learner.kafkaWire.replyGate = ({ api }) => (api === 'Produce' ? answer.promise : 'pass')
  let over = false
  const sending = settled(producer.sendLog('INFO', 'one')).finally(() => { over = true })
  await until(() => over || learner.kafkaWire.requests('Produce').some(({ answered }) => answered),
    both('the broker\'s answer to sendLog', 'phản hồi của broker cho sendLog'))
  await quiet(learner)
  holds(!over,
    both('sendLog() before the broker\'s answer reached the client',
      'sendLog() khi client chưa nhận được phản hồi của broker'),
    both('still waiting', 'vẫn đang chờ'), both('already over', 'đã xong'))
  answer.resolve('pass')
  same(await sending, { value: undefined }, both('sendLog() once the answer is there', 'sendLog() khi đã có phản hồi'))
  await producer.disconnect()
})

check('all-replicas-acknowledge', async ({ learner, kafka, did }) => {
  did(both('sent two logs and looked at the acknowledgements their requests ask for',
    'gửi hai log rồi xem request yêu cầu xác nhận thế nào'))
  const topic = await kafka.topic()
  const producer = await openProducer(learner, topic)
  await producer.sendLog('INFO', 'one')
  await producer.sendLog('ERROR', 'two')
  await untilWritten(kafka, topic, 2)
  const acks = learner.kafkaWire.requests('Produce').map(producedAcks)
  holds(acks.every((asked) => asked === -1),
    both('acks of the Produce requests', 'acks của các request Produce'),
    both('-1, all in-sync replicas', '-1, mọi bản sao đồng bộ'), acks.join(', '))
  await producer.disconnect()
})

check('failed-send-rejects', async ({ learner, kafka, did }) => {
  did(both('sent a log, then cut the connection whenever another one was on its way to Kafka',
    'gửi một log, rồi cắt kết nối mỗi khi log tiếp theo đang trên đường đến Kafka'))
  const topic = await warmTopic(kafka)
  const client = await learner.withKafka({ retries: 2 })
  // However long a learner's own retries take.
  client.host.deadline(20_000)
  const producer = await openProducer(client, topic)
  await producer.sendLog('INFO', 'one')
  await untilWritten(kafka, topic, 2)
  client.kafkaWire.gate = ({ api }) => (api === 'Produce' ? 'cut' : 'pass')
  const outcome = await settled(producer.sendLog('INFO', 'two'))
  // The failure of a send that nobody waited for comes a little later: no other check would see it.
  if ('value' in outcome) await until(() => client.host.unhandled.length > 0, both('', ''), 1500).catch(() => {})
  holds('error' in outcome,
    both('sendLog() for a record that never reached Kafka', 'sendLog() cho bản ghi không bao giờ đến được Kafka'),
    both('a rejection', 'bị từ chối (reject)'), both('it resolved', 'lời gọi thành công'))
})

check('unknown-levels-are-refused', async ({ learner, kafka, did }) => {
  did(both('sent logs with levels that do not exist', 'gửi log với các cấp độ không tồn tại'))
  const levels = ['TRACE', 'info', ' INFO', '', 'constructor', 'INFO,WARN', undefined, null, 1, ['INFO']]
  await refusesEach({ learner, kafka }, levels.map((level) => [level, 'a message']))
})

check('messages-must-be-strings', async ({ learner, kafka, did }) => {
  did(both('sent logs whose message is no string', 'gửi log có message không phải chuỗi'))
  const messages = [undefined, null, 42, true, { text: 'hello' }, ['hello'], Buffer.from('hello')]
  await refusesEach({ learner, kafka }, messages.map((message) => ['INFO', message]))
})

check('order-is-kept', async ({ learner, kafka, did }) => {
  did(both('wrote 20 logs at once; onLog rejected the eighth the first time',
    'ghi 20 log cùng lúc; onLog báo lỗi ở lần đầu nhận log thứ tám'))
  const topic = await kafka.topic()
  const handled: string[] = []
  let rejections = 0
  const consumer = await startConsumer(learner, {
    topic, groupId: kafka.name('g'),
    onLog: async ({ message }) => {
      if (message === '8' && rejections++ === 0) throw new Error('not now')
      if (!handled.includes(message)) handled.push(message)
    },
  })
  await kafka.produce(topic, numbered(20).map((message) => record(message)))
  await until(() => handled.length === 20, both('all of the 20 logs to be handled', 'cả 20 log được xử lý'))
  same(handled, numbered(20), both('the order in which the logs were handled', 'thứ tự các log được xử lý'))
  await consumer.stop()
})

check('old-group-goes-on', async ({ learner, kafka, did }) => {
  did(both('let a group handle four logs of two partitions, stopped it, wrote two more and started it again',
    'cho một group xử lý bốn log ở hai partition, dừng lại, ghi thêm hai log rồi khởi động lại'))
  const topic = await kafka.topic(2)
  const groupId = kafka.name('g')
  const first: string[] = []
  const consumer = await startConsumer(learner, { topic, groupId, onLog: async ({ message }) => { first.push(message) } })
  await kafka.produce(topic, ['a1', 'b1', 'a2', 'b2'].map(inItsPartition))
  await until(() => first.length >= 4, both('the first four logs', 'bốn log đầu tiên'))
  await commitUnderWay(kafka, groupId, topic, 4)
  await consumer.stop()
  await kafka.produce(topic, ['a3', 'b3'].map(inItsPartition))
  // Another client: what the first one remembers is not what the group knows.
  const later = await learner.withKafka()
  const second: string[] = []
  const again = await startConsumer(later, { topic, groupId, onLog: async ({ message }) => { second.push(message) } })
  await until(() => second.includes('a3') && second.includes('b3'),
    both('the two logs written after the stop', 'hai log được ghi sau khi dừng'))
  same(second.toSorted(), ['a3', 'b3'],
    both('the logs that the group gets after it started again', 'các log group nhận được sau khi khởi động lại'))
  await again.stop()
})

check('stop-leaves-the-group', async ({ learner, kafka, did }) => {
  did(both('let a consumer handle a log, called stop() and held back its request to leave the group',
    'cho consumer xử lý một log, gọi stop() và giữ lại request rời group'))
  const topic = await kafka.topic()
  const groupId = kafka.name('g')
  let handled = 0
  const consumer = await startConsumer(learner, { topic, groupId, onLog: async () => { handled++ } })
  await kafka.produce(topic, [record('1')])
  await until(() => handled > 0, both('the log', 'log'))
  same(await kafka.members(groupId), 1,
    both('members of the group before the stop', 'số thành viên của group trước khi dừng'))
  // Held at the door, so that a stop that does not wait for it is seen.
  const door = Promise.withResolvers<'pass'>()
  learner.kafkaWire.gate = ({ api }) => (api === 'LeaveGroup' ? door.promise : 'pass')
  let over = false
  const stopping = consumer.stop().finally(() => { over = true })
  await until(() => over || learner.kafkaWire.requests('LeaveGroup').length > 0,
    both('stop() to leave the group', 'stop() rời group'))
  await quiet(learner)
  holds(!over,
    both('stop() before the group was left', 'stop() khi chưa rời group'),
    both('still waiting', 'vẫn đang chờ'), both('already over', 'đã xong'))
  door.resolve('pass')
  await stopping
  same(await kafka.members(groupId), 0, both('members of the group after stop()', 'số thành viên của group sau stop()'))
})

check('rejected-log-comes-again', async ({ learner, kafka, did }) => {
  did(both('wrote two logs; onLog rejected the first one seven times',
    'ghi hai log; onLog báo lỗi bảy lần với log đầu tiên'))
  // Once more than kafkajs itself tries before it starts its consumer anew.
  await survives({ learner, kafka }, Array.from({ length: 7 }, (_, i) => new Error(`not yet (${i + 1})`)))
  did(both('let onLog handle a log of one partition, called stop() while it was at work on a log of another, and let it reject then',
    'cho onLog xử lý một log ở một partition, gọi stop() khi nó đang xử lý log ở partition khác, rồi cho onLog báo lỗi'))
  await isNotDone({ learner, kafka })
}, { waits: true })

check('any-error-is-survived', async ({ learner, kafka, did }) => {
  did(both('wrote two logs; onLog threw a TypeError at the first one, then rejected it with a RangeError, a SyntaxError, a ReferenceError, an error of kafkajs and undefined',
    'ghi hai log; với log đầu tiên onLog ném ngay một TypeError, rồi báo lỗi bằng RangeError, SyntaxError, ReferenceError, một lỗi của kafkajs và undefined'))
  // In the learner's process: what crosses the pipe can only reject.
  const throwing = await learner.host.plant((onLog: (log: Log) => unknown) => {
    let first = true
    return (log: Log) => {
      if (!first) return onLog(log)
      first = false
      throw new TypeError('x is undefined')
    }
  })
  await survives({ learner, kafka }, [
    new RangeError('too far'), new SyntaxError('unexpected'), new ReferenceError('x is not defined'),
    // As from an onLog that passes the log on to another Kafka: kafkajs gives up on that one as well.
    Object.assign(new Error('no broker'), { name: 'KafkaJSNoBrokerAvailableError' }), undefined,
  ], async (onLog) => await throwing(onLog) as typeof onLog)
}, { waits: true })

check('broken-json-is-set-aside', async ({ learner, kafka, did }) => {
  did(both('wrote records that are not JSON between two logs', 'ghi các bản ghi không phải JSON xen giữa hai log'))
  await setsAside({ learner, kafka }, ['not json', '{"level":"INFO","message":"cut o', ''])
})

check('incomplete-logs-are-set-aside', async ({ learner, kafka, did }) => {
  did(both('wrote JSON values that are no logs, and a log with a fourth field, between two logs',
    'ghi các giá trị JSON không phải log, và một log có trường thứ tư, xen giữa hai log'))
  const whole = { level: 'INFO', message: 'hello', timestamp: '2026-03-01T09:15:00.000Z' }
  const wider = { ...whole, message: 'with a fourth field', host: 'web-1' }
  const without = (key: keyof Log): object => Object.fromEntries(Object.entries(whole).filter(([name]) => name !== key))
  await setsAside({ learner, kafka }, [
    {}, without('level'), without('message'), without('timestamp'),
    { ...whole, message: null }, { ...whole, message: 42 }, { ...whole, level: null }, { ...whole, level: 20 },
    { ...whole, timestamp: null }, { ...whole, timestamp: 1_772_356_500_000 },
    null, 42, 'hello', [], [whole],
  ].map((value) => JSON.stringify(value)), wider)
})

check('records-without-value-are-set-aside', async ({ learner, kafka, did }) => {
  did(both('wrote a record without a value between two logs', 'ghi một bản ghi không có value xen giữa hai log'))
  await setsAside({ learner, kafka }, [null])
})

check('set-aside-as-it-came', async ({ learner, kafka, did }) => {
  did(both('wrote bytes that are no text and an empty value between two logs, and looked at what onInvalid got',
    'ghi các byte không phải văn bản và một value rỗng xen giữa hai log rồi xem onInvalid nhận được gì'))
  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x7b])
  const calls = await setsAside({ learner, kafka }, [bytes, ''])
  const [call] = calls
  holds(Buffer.isBuffer(call!.raw) && call!.raw.equals(bytes),
    both('the raw record that onInvalid got', 'dữ liệu thô mà onInvalid nhận được'),
    hex(bytes), Buffer.isBuffer(call!.raw) ? hex(call!.raw) : shown(call!.raw))
  const empty = calls.find(({ raw }) => !(Buffer.isBuffer(raw) && raw.equals(bytes)))!.raw
  holds(Buffer.isBuffer(empty) && empty.length === 0,
    both('the raw record that onInvalid got for an empty value', 'dữ liệu thô mà onInvalid nhận được cho value rỗng'),
    hex(Buffer.alloc(0)), Buffer.isBuffer(empty) ? hex(empty) : shown(empty))
  holds(call!.error instanceof LearnerError,
    both('the error that onInvalid got', 'lỗi mà onInvalid nhận được'), 'Error', shown(call!.error))
})

check('works-without-oninvalid', async ({ learner, kafka, did }) => {
  did(both('wrote an invalid record between two logs, for a consumer without onInvalid',
    'ghi một bản ghi hỏng xen giữa hai log, với consumer không có onInvalid'))
  const topic = await kafka.topic()
  const { consumer, seen } = await collect(learner, { topic, groupId: kafka.name('g') })
  await kafka.produce(topic, [record('1'), { value: 'not json', partition: 0 }, record('2')])
  await reaches(learner, () => messagesOf(seen).includes('2'),
    both('the log behind the invalid record', 'log đứng sau bản ghi hỏng'))
  same(messagesOf(seen), ['1', '2'], both('what onLog got', 'những gì onLog nhận được'))
  await consumer.stop()
})

check('one-produce-request-per-log', async ({ learner, kafka, did }) => {
  did(both('sent five logs and counted the Produce requests', 'gửi năm log rồi đếm số request Produce'))
  const topic = await kafka.topic()
  const producer = await openProducer(learner, topic)
  await producer.sendLog('INFO', 'warm-up')
  await untilWritten(kafka, topic, 1)
  learner.kafkaWire.forget()
  for (const message of numbered(5)) await producer.sendLog('INFO', message)
  await untilWritten(kafka, topic, 6)
  atMost(learner.kafkaWire.requests('Produce').length, 5,
    both('Produce requests for five logs', 'số request Produce cho năm log'))
  await producer.disconnect()
})

check('one-commit-per-record-at-most', async ({ learner, kafka, did }) => {
  did(both('wrote 200 logs at once for a consumer and counted its OffsetCommit requests until it had stopped',
    'ghi 200 log cùng lúc cho một consumer rồi đếm số request OffsetCommit cho đến khi nó dừng'))
  atMost(await commitsForABacklog(learner, kafka), 200,
    both('OffsetCommit requests for 200 logs', 'số request OffsetCommit cho 200 log'))
})

check('no-leaked-connection', async ({ learner, kafka, did }) => {
  did(both('stopped a consumer and disconnected a producer, then counted the connections',
    'dừng consumer, ngắt producer rồi đếm số kết nối'))
  const topic = await kafka.topic()
  const { consumer, seen } = await collect(learner, { topic, groupId: kafka.name('g') })
  const producer = await openProducer(learner, topic)
  for (const message of numbered(3)) await producer.sendLog('INFO', message)
  await until(() => seen.length >= 3, both('three logs', 'ba log'))
  await Promise.all([consumer.stop(), producer.disconnect()])
  await until(() => learner.kafkaWire.open() === 0,
    both('every connection to be closed after stop() and disconnect()',
      'mọi kết nối được đóng sau stop() và disconnect()'), 1500)
})

/** Each call is refused with a TypeError and sends nothing; a good log goes through afterwards. */
async function refusesEach({ learner, kafka }: World, calls: readonly [level: unknown, message: unknown][]): Promise<void> {
  const topic = await kafka.topic()
  const producer = await openProducer(learner, topic)
  for (const [level, message] of calls) {
    const call = `sendLog(${shown(level)}, ${shown(message)})`
    await refuses(() => producer.sendLog(level, message), ['TypeError'], both(call, call))
    same(learner.kafkaWire.requests('Produce').length, 0,
      both(`Produce requests after ${call}`, `số request Produce sau ${call}`))
  }
  await producer.sendLog('INFO', 'a good one')
  await untilWritten(kafka, topic, 1)
  same((await kafka.readCommitted(topic)).length, 1,
    both('records on the topic after one good log', 'số bản ghi trên topic sau một log hợp lệ'))
  await producer.disconnect()
}

const inItsPartition = (message: string): Message => ({ ...record(message), partition: message.startsWith('a') ? 0 : 1 })

const hex = (bytes: Buffer): string => `<Buffer ${bytes.toString('hex').slice(0, 60)}>`

/**
 * At least once, whatever happens: an offset advances only after the handler of its record has settled, so that a crash
 * or a stop in the middle loses nothing. A failing Kafka is told to the caller, and the price of a log does not grow.
 */
import { atMost, between, both, caughtUp, check, holds, Inconclusive, rejects, same, until } from '#checks'
import {
  collect, commitsForABacklog, commitUnderWay, controlRun, done, makeConsumer, makeProducer, messagesOf, numbered,
  openProducer, record, startConsumer, warmTopic, type Log,
} from './pipeline.ts'

/** Well below the session of the checks' client (1500 ms): nobody is expelled for a call that takes so long, in milliseconds. */
const SHORT_MS = 1000

check('offset-waits-for-the-handler', async ({ learner, kafka, did }) => {
  did(both('wrote three logs and did not let onLog finish the first one',
    'ghi ba log và không cho onLog xử lý xong log đầu tiên'))
  const topic = await kafka.topic()
  const groupId = kafka.name('g')
  const gate = Promise.withResolvers<void>()
  const seen: Log[] = []
  const consumer = await startConsumer(learner, {
    topic, groupId,
    onLog: async (log) => {
      seen.push(log)
      await gate.promise
    },
  })
  await kafka.produce(topic, numbered(3).map((message) => record(message)))
  await until(() => seen.length > 0, both('onLog to be called', 'onLog được gọi'))
  await controlRun(learner, kafka)
  same(await done(kafka, groupId, topic), 0,
    both('the committed offset while onLog still runs for the first log',
      'offset đã commit khi onLog vẫn đang xử lý log đầu tiên'))
  gate.resolve()
  await commitUnderWay(kafka, groupId, topic, 3)
  await consumer.stop()
  holds(await done(kafka, groupId, topic) > 0,
    both('the committed offset once onLog has settled', 'offset đã commit khi onLog đã kết thúc'), '> 0', '0')
})

check('offset-waits-for-oninvalid', async ({ learner, kafka, did }) => {
  did(both('wrote an invalid record, and one without a value, and did not let onInvalid finish',
    'ghi một bản ghi hỏng và một bản ghi không có value, và không cho onInvalid xử lý xong'))
  const gate = Promise.withResolvers<void>()
  const held: { topic: string; groupId: string; consumer: { stop(): Promise<unknown> } }[] = []
  // Each in a topic of its own: the one would hide what becomes of the other.
  for (const value of ['not json', null]) {
    const topic = await kafka.topic()
    const groupId = kafka.name('g')
    let called = false
    const consumer = await startConsumer(learner, {
      topic, groupId,
      onLog: async () => {},
      onInvalid: async () => {
        called = true
        await gate.promise
      },
    })
    held.push({ topic, groupId, consumer })
    await kafka.produce(topic, [{ value, partition: 0 }, record('2')])
    await until(() => called, both('onInvalid to be called', 'onInvalid được gọi'))
  }
  await controlRun(learner, kafka)
  for (const { groupId, topic } of held) same(await done(kafka, groupId, topic), 0,
    both('the committed offset while onInvalid still runs', 'offset đã commit khi onInvalid vẫn đang chạy'))
  gate.resolve()
  await Promise.all(held.map(async ({ topic, groupId, consumer }) => {
    await commitUnderWay(kafka, groupId, topic, 2)
    await consumer.stop()
    holds(await done(kafka, groupId, topic) > 0,
      both('the committed offset once onInvalid has settled', 'offset đã commit khi onInvalid đã kết thúc'), '> 0', '0')
  }))
})

check('crash-loses-no-log', async ({ learner, another, kafka, did }) => {
  did(both('killed a process in the middle of onLog for the third of four logs, and let another process take over',
    'dừng đột ngột tiến trình khi onLog đang xử lý log thứ ba trong bốn log, rồi cho tiến trình khác tiếp tục'))
  const doomed = await another()
  const topic = await kafka.topic()
  const groupId = kafka.name('g')
  const handled: string[] = []
  let reached = false
  await startConsumer(doomed, {
    topic, groupId,
    onLog: async ({ message }) => {
      if (message === '3') {
        reached = true
        await new Promise(() => {})
      }
      handled.push(message)
    },
  })
  await kafka.produce(topic, numbered(4).map((message) => record(message)))
  await until(() => reached, both('onLog to be called for the third log', 'onLog được gọi cho log thứ ba'))
  await caughtUp(doomed)
  await doomed.kill()
  const heir = await kafka.heir(groupId, topic)
  const consumer = await makeConsumer(learner, { topic, groupId: heir, onLog: async ({ message }) => { handled.push(message) } })
  await kafka.produce(topic, [record('5')])
  await until(() => handled.includes('5'), both('the log written after the crash', 'log được ghi sau khi sập'))
  same([...new Set(handled)].toSorted(), numbered(5),
    both('the logs that were handled before and after the crash', 'các log được xử lý trước và sau khi sập'))
  await consumer.stop()
})

check('stop-waits-for-the-log-in-hand', async ({ learner, kafka, did }) => {
  did(both('called stop() while onLog was at work', 'gọi stop() khi onLog đang xử lý'))
  const topic = await kafka.topic()
  const gate = Promise.withResolvers<void>()
  let called = false
  const consumer = await startConsumer(learner, {
    topic, groupId: kafka.name('g'),
    onLog: async () => {
      called = true
      await gate.promise
    },
  })
  await kafka.produce(topic, [record('1')])
  await until(() => called, both('onLog to be called', 'onLog được gọi'))
  let over = false
  const stopping = consumer.stop().finally(() => { over = true })
  await controlRun(learner, kafka)
  holds(!over,
    both('stop() while onLog is at work', 'stop() khi onLog đang xử lý'),
    both('still waiting', 'vẫn đang chờ'), both('already over', 'đã xong'))
  gate.resolve()
  await stopping
})

check('stop-commits-what-was-handled', async ({ learner, kafka, did }) => {
  did(both('called stop() while onLog was at the second of five logs',
    'gọi stop() khi onLog đang xử lý log thứ hai trong năm log'))
  const topic = await kafka.topic()
  const groupId = kafka.name('g')
  const gate = Promise.withResolvers<void>()
  const handled: string[] = []
  let heldSince: number | undefined
  const consumer = await startConsumer(learner, {
    topic, groupId,
    onLog: async ({ message }) => {
      if (message === '2') {
        heldSince ??= performance.now()
        await gate.promise
      }
      handled.push(message)
    },
  })
  await kafka.produce(topic, numbered(5).map((message) => record(message)))
  await until(() => heldSince !== undefined, both('onLog to be called for the second log', 'onLog được gọi cho log thứ hai'))
  let over = false
  const stopping = consumer.stop().finally(() => { over = true })
  await controlRun(learner, kafka)
  holds(!over,
    both('stop() while onLog is at work', 'stop() khi onLog đang xử lý'),
    both('still waiting', 'vẫn đang chờ'), both('already over', 'đã xong'))
  const heldMs = performance.now() - heldSince!
  gate.resolve()
  await stopping
  const finished = new Set(handled).size
  const committed = await done(kafka, groupId, topic)
  // Nobody can send a heartbeat for code that waits in a single call, and a commit of an expelled member is turned down.
  if (committed < 2 && heldMs > SHORT_MS && learner.kafkaWire.requests('OffsetCommit').length > 0) {
    throw new Inconclusive(both('The machine was too slow to keep a session alive.', 'Máy quá chậm nên không giữ được phiên.'))
  }
  between(committed, 2, finished,
    both(`the committed offset after stop(), with ${finished} of five logs handled`,
      `offset đã commit sau stop(), khi đã xử lý ${finished} trong năm log`))
})

check('unreachable-kafka-rejects', async ({ learner, kafka, did }) => {
  did(both('made a producer and a consumer with Kafka out of reach',
    'tạo producer và consumer khi không kết nối được Kafka'))
  const topic = await warmTopic(kafka)
  const offline = await learner.withKafka({ retries: 1 })
  offline.host.deadline(20_000)
  const options = { topic, groupId: kafka.name('g'), onLog: async () => {} }
  const producer = await openProducer(offline, topic)
  await producer.sendLog('INFO', 'one')
  const consumer = await startConsumer(offline, options)
  await Promise.all([producer.disconnect(), consumer.stop()])
  offline.kafkaWire.down()
  const other = await makeProducer(offline, topic)
  await rejects(async () => {
    await other.connect()
    await other.sendLog('INFO', 'two')
  }, both('connecting a producer and sending a log while Kafka is out of reach',
    'kết nối producer và gửi log khi không kết nối được Kafka'))
  await rejects(() => offline.call('consumeLogs', offline.kafka, options),
    both('consumeLogs() while Kafka is out of reach', 'consumeLogs() khi không kết nối được Kafka'))
})

check('connections-stay-the-same', async ({ learner, kafka, did }) => {
  did(both('counted the connections made for the first log and for 20 more',
    'đếm số kết nối mở ra cho log đầu tiên và cho 20 log tiếp theo'))
  const topic = await kafka.topic()
  const { consumer, seen } = await collect(learner, { topic, groupId: kafka.name('g') })
  const producer = await openProducer(learner, topic)
  await producer.sendLog('INFO', 'the first')
  await until(() => seen.length > 0, both('the first log', 'log đầu tiên'))
  const before = learner.kafkaWire.made()
  for (const message of numbered(20)) await producer.sendLog('INFO', message)
  await until(() => messagesOf(seen).length >= 21, both('all of the 21 logs', 'cả 21 log'))
  atMost(learner.kafkaWire.made() - before, 2,
    both('connections made for 20 more logs', 'số kết nối mở thêm cho 20 log'))
  await Promise.all([consumer.stop(), producer.disconnect()])
})

check('commits-are-rare', async ({ learner, kafka, did }) => {
  did(both('wrote 200 logs at once for a consumer and counted its OffsetCommit requests until it had stopped',
    'ghi 200 log cùng lúc cho một consumer rồi đếm số request OffsetCommit cho đến khi nó dừng'))
  atMost(await commitsForABacklog(learner, kafka), 40,
    both('OffsetCommit requests for 200 logs', 'số request OffsetCommit cho 200 log'))
})

/**
 * A user's orders are handled one after the other in the order made, and no service waits for another. What a group has
 * handled stays handled. An order costs one request, a batch at most two.
 */
import { atMost, both, check, namedTopics, same, settled } from '#checks'
import type { KafkaMessage } from 'kafkajs'
import {
  comes, commitUnderWay, eventually, jsonOf, makeService, newGroups, nowhere, numbers, openProducer, order, orderIn, record,
  SERVICES, startService, startShop, untilWritten, warmTopic, type Service,
} from './fanout.ts'

check('orders-of-a-user-share-a-partition', async ({ learner, kafka, did }) => {
  did(both('made 25 orders of five users on a topic of two partitions: one of each user by itself, the others in a batch',
    'tạo 25 đơn hàng của năm người dùng trên topic có hai partition: mỗi người một đơn riêng lẻ, các đơn còn lại theo lô'))
  const topic = await kafka.topic(2)
  const producer = await openProducer(learner, topic)
  // Not as many as there are partitions, nor a multiple: who takes one partition after the other spreads every user's.
  const users = ['ann', 'bob', 'cid', 'dan', 'eva']
  const orders = numbers(25).map((n) => order(n, { user_id: users[n % users.length]! }))
  for (const made of orders.slice(0, users.length)) await producer.createOrder(made)
  await producer.createOrders(orders.slice(users.length))
  const partitions = byPartition(await kafka.read(topic, orders.length)).map((records) => records.map(({ value }) => orderIn(jsonOf(value)).user_id))
  for (const user of users) same(partitions.filter((found) => found.includes(user)).length, 1,
    both(`partitions that hold orders of ${user}`, `số partition chứa đơn hàng của ${user}`))
  await producer.disconnect()
})

check('orders-of-a-user-are-handled-in-order', async ({ learner, kafka, did }) => {
  did(both('made eight orders of one user, and looked at when each was handled',
    'tạo tám đơn hàng của một người dùng rồi xem từng đơn được xử lý lúc nào'))
  const topic = await kafka.topic()
  const open: Record<Service, Set<number>> = { email: new Set(), inventory: new Set(), loyalty: new Set() }
  let overlaps = 0
  const shop = await startShop(learner, kafka, { topic }, async (call) => {
    const inHand = open[call.service]
    if ([...inHand].some((other) => other !== call.order)) overlaps++
    inHand.add(call.order)
    // Whoever does not wait for this call has called again before it is over.
    await learner.host.idle()
    inHand.delete(call.order)
  })
  const producer = await openProducer(learner, topic)
  const orders = numbers(8).map((n) => order(n, { user_id: 'ann' }))
  await producer.createOrder(orders[0])
  await producer.createOrders(orders.slice(1, 7))
  await producer.createOrder(orders[7])
  await shop.reaches(8)
  for (const service of SERVICES) same(shop.handled(service), numbers(8),
    both(`the orders as ${service} handled them`, `thứ tự ${service} xử lý các đơn hàng`))
  same(overlaps, 0, both('calls of the three services begun while another order was still being handled', 'số lời gọi của cả ba dịch vụ bắt đầu khi một đơn khác còn đang được xử lý'))
  await Promise.all([shop.stop(), producer.disconnect()])
})

check('a-retry-keeps-the-order', async ({ learner, kafka, did }) => {
  did(both('wrote three orders of one user; the second one failed twice',
    'ghi ba đơn hàng của một người dùng; đơn thứ hai lỗi hai lần'))
  const topic = await kafka.topic()
  const failures: Record<Service, number> = { email: 0, inventory: 0, loyalty: 0 }
  const succeeded: Record<Service, Set<number>> = { email: new Set(), inventory: new Set(), loyalty: new Set() }
  const shop = await startShop(learner, kafka, { topic, dlqTopic: await kafka.topic(), retryDelayMs: 20 }, async (call) => {
    if (call.order === 2 && failures[call.service]++ < 2) throw new Error('not now')
    succeeded[call.service].add(call.order)
  })
  await kafka.produce(topic, numbers(3).map((n) => record(n, 0, { user_id: 'ann' })))
  for (const service of SERVICES) await comes(learner, () => succeeded[service].size === 3,
    both(`${service} to handle all of the three orders`, `${service} xử lý cả ba đơn hàng`))
  for (const service of SERVICES) same([...succeeded[service]], [1, 2, 3],
    both(`the order in which ${service} handled them`, `thứ tự ${service} xử lý chúng`))
  await shop.stop()
})

check('slow-service-delays-no-other', async ({ learner, kafka, did }) => {
  did(both('let no call of the email service come to an end', 'không cho lời gọi nào của dịch vụ email kết thúc'))
  const topic = await kafka.topic()
  const gate = Promise.withResolvers<void>()
  const shop = await startShop(learner, kafka, { topic }, async ({ service }) => {
    if (service === 'email') await gate.promise
  })
  await kafka.produce(topic, [record(1)])
  await comes(learner, () => shop.handled('email').length > 0, both('the first email', 'email đầu tiên'))
  // Only now: the others might have been through before email began.
  await kafka.produce(topic, numbers(5).slice(1).map((n) => record(n)))
  for (const other of ['inventory', 'loyalty'] as const) await comes(learner, () => shop.handled(other).includes(5),
    both(`${other} to get all orders while email is slow`, `${other} nhận đủ đơn hàng khi email đang chậm`))
  gate.resolve()
  await shop.stop()
})

check('failing-service-delays-no-other', async ({ learner, kafka, did }) => {
  did(both('let every call of the email service fail, with a minute between its attempts; then stopped the inventory service and wrote a malformed record and an order',
    'cho mọi lời gọi của dịch vụ email đều lỗi, mỗi lần thử cách nhau một phút; sau đó dừng dịch vụ kho rồi ghi một bản ghi hỏng và một đơn hàng'))
  const topic = await kafka.topic()
  const shop = await startShop(learner, kafka, { topic, dlqTopic: await kafka.topic(), retryDelayMs: 60_000 }, async (call) => {
    if (call.service === 'email') throw new Error('the mail server is down')
  })
  await kafka.produce(topic, [record(1)])
  await comes(learner, () => shop.handled('email').includes(1), both('the first email to fail', 'email đầu tiên bị lỗi'))
  await kafka.produce(topic, numbers(5).slice(1).map((n) => record(n)))
  for (const other of ['inventory', 'loyalty'] as const) await comes(learner, () => shop.handled(other).includes(5),
    both(`${other} to get all orders while email is down`, `${other} nhận đủ đơn hàng khi email ngừng hoạt động`))
  await shop.stop('inventory')
  await kafka.produce(topic, [{ value: 'not json', partition: 0 }, record(6)])
  await comes(learner, () => shop.handled('loyalty').includes(6),
    both('loyalty to set a malformed record aside and get the next order when inventory has stopped',
      'loyalty đưa bản ghi hỏng vào DLQ và nhận đơn hàng tiếp theo khi inventory đã dừng'))
})

check('stopped-service-goes-on', async ({ learner, kafka, did }) => {
  did(both('let the services handle four orders of two partitions, stopped them, wrote two more and started others in their place',
    'cho các dịch vụ xử lý bốn đơn hàng ở hai partition, dừng lại, ghi thêm hai đơn rồi khởi động các dịch vụ khác thay thế'))
  const topic = await kafka.topic(2)
  const groups = newGroups(kafka)
  const first = await startShop(learner, kafka, { topic }, undefined, groups)
  await kafka.produce(topic, [record(1, 0), record(2, 1), record(3, 0), record(4, 1)])
  for (const n of numbers(4)) await first.reaches(n)
  for (const service of SERVICES) await commitUnderWay(kafka, groups[service], topic, 4)
  await first.stop()
  await kafka.produce(topic, [record(5, 0), record(6, 1)])
  // Another client: what the first one remembers is not what the group knows.
  const again = await startShop(await learner.withKafka(), kafka, { topic }, undefined, groups)
  await again.reaches(5)
  await again.reaches(6)
  for (const service of SERVICES) same(again.handled(service).toSorted((a, b) => a - b), [5, 6],
    both(`the orders that ${service} gets after it started again`, `các đơn hàng ${service} nhận sau khi khởi động lại`))
  await again.stop()
})

check('dlq-is-orders-dlq', async ({ learner, kafka, did }) => {
  did(both('let an order fail for consumers without a dlqTopic, and looked at which topic they ask for',
    'cho một đơn hàng bị lỗi với các consumer không truyền dlqTopic rồi xem chúng hỏi topic nào'))
  const topic = await warmTopic(kafka)
  for (const service of SERVICES) {
    const client = await learner.withKafka({ retries: 1 })
    const others = (): string[] =>
      [...new Set(client.kafkaWire.log.flatMap(namedTopics))].filter((name) => name !== topic)
    // Cut off: the default DLQ belongs to everybody.
    client.kafkaWire.gate = (request) =>
      (namedTopics(request).some((name) => name !== topic) ? 'cut' : 'pass')
    const options = { topic, groupId: kafka.name('g'), maxAttempts: 1 }
    // There are orders to fail, wherever a new group starts.
    await kafka.rewind(options.groupId, topic)
    // One that asks for its DLQ at the start may fail to start.
    const starting = settled(startService(client, service, options, async () => { throw new Error('never') }))
    starting.catch(() => {})
    await eventually(() => others().length > 0, both(`the ${service} consumer to ask for its DLQ`, `consumer ${service} hỏi DLQ của nó`))
    same(others(), ['orders.dlq'], both(`the DLQ of the ${service} consumer`, `DLQ của consumer ${service}`))
  }
})

check('one-request-per-order', async ({ learner, kafka, did }) => {
  did(both('made five orders and counted the Produce requests', 'tạo năm đơn hàng rồi đếm số request Produce'))
  const topic = await kafka.topic()
  const producer = await openProducer(learner, topic)
  await producer.createOrder(order(99))
  await untilWritten(kafka, topic, 1)
  learner.kafkaWire.forget()
  for (const n of numbers(5)) await producer.createOrder(order(n))
  await untilWritten(kafka, topic, 6)
  atMost(learner.kafkaWire.requests('Produce').length, 5, both('Produce requests for five orders', 'số request Produce cho năm đơn hàng'))
  await producer.disconnect()
})

check('batch-is-one-request', async ({ learner, kafka, did }) => {
  did(both('made 1001 orders with createOrders and counted the Produce requests',
    'tạo 1001 đơn hàng bằng createOrders rồi đếm số request Produce'))
  const topic = await kafka.topic(2)
  const producer = await openProducer(learner, topic)
  await producer.createOrder(order(9999))
  await untilWritten(kafka, topic, 1)
  learner.kafkaWire.forget()
  await producer.createOrders(numbers(1001).map((n) => order(n)))
  await untilWritten(kafka, topic, 1002)
  atMost(learner.kafkaWire.requests('Produce').length, 2, both('Produce requests for 1001 orders', 'số request Produce cho 1001 đơn hàng'))
  await producer.disconnect()
})

check('no-leaked-connection', async ({ learner, kafka, did }) => {
  did(both('stopped the services, of which two had a dead letter, and one that was cut off during start(), disconnected the producer, then counted the connections',
    'dừng các dịch vụ, trong đó hai dịch vụ có bản ghi vào DLQ, và một dịch vụ bị cắt kết nối trong lúc start(), ngắt producer rồi đếm số kết nối'))
  const topic = await kafka.topic()
  const dlqTopic = await kafka.topic()
  const shop = await startShop(learner, kafka, { topic, dlqTopic, maxAttempts: 1 }, async (call) => {
    if (call.order === 2 && call.service !== 'loyalty') throw new Error('never')
  })
  const producer = await openProducer(learner, topic)
  await producer.createOrder(order(1))
  await shop.reaches(1)
  // Whoever connects to the DLQ only when it is needed does so now, and one service never needs it.
  await kafka.produce(topic, [record(2)])
  for (const service of SERVICES) await commitUnderWay(kafka, shop.groups[service], topic, 2)
  await Promise.all([shop.stop(), producer.disconnect()])
  const offline = await nowhere(learner)
  const unlucky = await makeService(offline, 'email', { topic, dlqTopic, groupId: kafka.name('g') }, async () => {})
  offline.host.deadline(20_000)
  await settled(unlucky.start())
  await settled(unlucky.stop())
  await eventually(() => learner.kafkaWire.open() === 0,
    both('every connection to be closed after stop() and disconnect()', 'mọi kết nối được đóng sau stop() và disconnect()'), 5000)
  await eventually(() => offline.kafkaWire.open() === 0,
    both('every connection to be closed after a start() that was cut off and stop()', 'mọi kết nối được đóng sau khi start() bị cắt kết nối rồi gọi stop()'), 5000)
})

/** Records by partition: they come partition by partition, and in each the offsets grow. */
function byPartition(records: readonly KafkaMessage[]): KafkaMessage[][] {
  const partitions: KafkaMessage[][] = []
  for (const [i, found] of records.entries()) {
    if (i === 0 || Number(found.offset) <= Number(records[i - 1]!.offset)) partitions.push([])
    partitions.at(-1)!.push(found)
  }
  return partitions
}

/**
 * What fanning out is: an order that was made is one JSON record on the topic, and each of three services, in a group of
 * its own, gets every order, also those made before it started, and does its own thing with it.
 */
import { both, check, namedTopics, same, settled, shown, type CheckContext, type KafkaWire } from '#checks'
import {
  eventually, groupsAskedFor, jsonOf, makeProducer, makeService, nowhere, openProducer, order, orderIn, record,
  SERVICES, startService, startShop, type Call, type Order, type Service,
} from './fanout.ts'

type World = Pick<CheckContext, 'learner' | 'kafka'>

check('every-service-sees-every-order', async ({ learner, kafka, did }) => {
  did(both('started the three services, and made three orders', 'khởi động ba dịch vụ rồi tạo ba đơn hàng'))
  const topic = await kafka.topic()
  const shop = await startShop(learner, kafka, { topic })
  const producer = await openProducer(learner, topic)
  await producer.createOrder(order(1))
  await producer.createOrders([order(2), order(3)])
  for (const n of [1, 2, 3]) await shop.reaches(n)
  await Promise.all([shop.stop(), producer.disconnect()])
})

check('records-hold-the-order', async ({ learner, kafka, did }) => {
  did(both('made an order and a batch of two, and read the records on the topic',
    'tạo một đơn hàng và một lô hai đơn rồi đọc các bản ghi trên topic'))
  const topic = await kafka.topic()
  const producer = await openProducer(learner, topic)
  const orders = [order(1), order(2, { total: 0, email: 'đơn "hàng"\n🚚' }), order(3, { total: 19.99 })]
  await producer.createOrder(orders[0])
  await producer.createOrders(orders.slice(1))
  const values = (await kafka.read(topic, 3)).map(({ value }) => orderIn(jsonOf(value)))
  for (const made of orders) same(values.find(({ order_id }) => order_id === made.order_id), made,
    both(`the order ${made.order_id} in a value`, `đơn hàng ${made.order_id} trong value`))
  same(new Set(values), new Set(orders), both('the orders in the values', 'các đơn hàng trong value'))
  await producer.disconnect()
})

check('email-gets-the-order', async (world) => {
  world.did(both('wrote an order with two lines for the email service', 'ghi một đơn hàng hai dòng cho dịch vụ email'))
  const made = order(1, { items: [{ product_id: 'p-1-a', quantity: 2 }, { product_id: 'p-1-b', quantity: 1 }], total: 12.5 })
  const [call] = await callsFor(world, 'email', [made], 1)
  same(orderIn(call!.args[0]), made, both('the order that sendEmail got', 'đơn hàng mà sendEmail nhận được'))
})

check('inventory-gets-every-line', async (world) => {
  world.did(both('wrote an order with three lines, two of them of one product, one of 3000000000 pieces',
    'ghi một đơn hàng ba dòng, trong đó hai dòng cùng một sản phẩm, một dòng có 3000000000 món'))
  const lines = [['p-1-a', 2], ['p-1-b', 1], ['p-1-a', 3_000_000_000]] as const
  const made = order(1, { items: lines.map(([product_id, quantity]) => ({ product_id, quantity })) })
  const calls = await callsFor(world, 'inventory', [made], 3)
  same(sorted(calls.map(({ args: [product, quantity] }) => shown([product, quantity]))), sorted(lines.map((line) => shown(line))),
    both('what decrement was called with', 'các tham số mà decrement nhận được'))
})

check('loyalty-gets-the-points', async (world) => {
  world.did(both('wrote orders worth 5, 19.99, 7.25, 2.998 and 1e12', 'ghi các đơn hàng trị giá 5, 19.99, 7.25, 2.998 và 1e12'))
  const orders = [5, 19.99, 7.25, 2.998, 1e12].map((total, i) => order(i + 1, { total, items: [{ product_id: 'p', quantity: 3 }] }))
  const calls = await callsFor(world, 'loyalty', orders, 5)
  same(calls.map(({ args: [user, points] }) => [user, points]), [['u-1', 50], ['u-2', 199], ['u-3', 72], ['u-4', 29], ['u-5', 1e13]],
    both('what addPoints was called with', 'các tham số mà addPoints nhận được'))
})

check('earlier-orders-are-seen', async ({ learner, kafka, did }) => {
  did(both('wrote two orders, and only then started the services', 'ghi hai đơn hàng rồi mới khởi động các dịch vụ'))
  const topic = await kafka.topic()
  await kafka.produce(topic, [record(1), record(2)])
  const shop = await startShop(learner, kafka, { topic })
  await shop.reaches(1)
  await shop.reaches(2)
  await shop.stop()
})

check('groups-are-their-own', async ({ learner, kafka, did }) => {
  did(both('started the consumers without a groupId, cutting them off before they could join, and looked at which group they ask for',
    'khởi động các consumer không truyền groupId, cắt kết nối trước khi chúng kịp vào group, rồi xem chúng hỏi group nào'))
  const topic = await kafka.topic()
  await kafka.produce(topic, [record(1)])
  for (const service of SERVICES) {
    const client = await learner.withKafka({ retries: 1 })
    // Cut off before it can join: the default group belongs to everybody.
    client.kafkaWire.gate = ({ api }) => (api === 'FindCoordinator' || api === 'JoinGroup' ? 'cut' : 'pass')
    const consumer = await makeService(client, service, { topic }, async () => {})
    const starting = settled(consumer.start())
    await eventually(() => groupsAskedFor(client.kafkaWire).length > 0,
      both(`the ${service} consumer to ask for its group`, `consumer ${service} hỏi group của nó`))
    same(groupsAskedFor(client.kafkaWire), [`${service}-service`],
      both(`the group of the ${service} consumer`, `group của consumer ${service}`))
    unawaited(starting)
  }
})

check('topic-is-orders', async ({ learner, kafka, did }) => {
  did(both('made an order and started the consumers without a topic, cutting them off, and looked at which one they ask for',
    'tạo đơn hàng và khởi động các consumer không truyền topic, cắt kết nối của chúng, rồi xem chúng hỏi topic nào'))
  // The default topic belongs to everybody.
  const writer = await nowhere(learner)
  const producer = await makeProducer(writer)
  const sending = settled(producer.connect().then(() => producer.createOrder(order(1))))
  await asksForOrders(writer.kafkaWire, both('the producer', 'producer'))
  unawaited(sending)
  for (const service of SERVICES) {
    const reader = await nowhere(learner)
    const consumer = await makeService(reader, service, { groupId: kafka.name('g') }, async () => {})
    const starting = settled(consumer.start())
    await asksForOrders(reader.kafkaWire, both(`the ${service} consumer`, `consumer ${service}`))
    unawaited(starting)
  }
})

/** The first `count` calls of a service for orders that were written while it ran. */
async function callsFor({ learner, kafka }: World, service: Service, orders: readonly Order[], count: number): Promise<readonly Call[]> {
  const topic = await kafka.topic()
  const calls: Call[] = []
  const consumer = await startService(learner, service, { topic, groupId: kafka.name('g') }, async (call) => { calls.push(call) })
  await kafka.produce(topic, orders.map((made) => ({ key: made.user_id, value: JSON.stringify(made), partition: 0 })))
  await eventually(() => calls.length >= count,
    both(`the ${service} service to be called ${count === 1 ? 'once' : `${count} times`}`, `dịch vụ ${service} được gọi ${count} lần`))
  await consumer.stop()
  return calls
}

async function asksForOrders(wire: KafkaWire, who: { en: string; vi: string }): Promise<void> {
  // A service may ask for its DLQ as well.
  const asked = (): string[] => [...new Set(wire.log.flatMap(namedTopics))].filter((topic) => topic !== 'orders.dlq')
  await eventually(() => asked().length > 0, both(`${who.en} to ask for its topic`, `${who.vi} hỏi topic của nó`))
  same(asked(), ['orders'], both(`the topic of ${who.en}`, `topic của ${who.vi}`))
}

/** A call that cannot succeed: how long it takes to say so is not asked. */
function unawaited(call: Promise<unknown>): void {
  call.catch(() => {})
}

const sorted = (texts: readonly string[]): string[] => texts.toSorted()

/**
 * What is no order is refused before anything is sent, alone and in a batch; and an order that Kafka did not get is an
 * error of the call that made it.
 */
import { both, check, holds, refuses, same, settled, shown, until, type CheckContext } from '#checks'
import { openProducer, order, untilWritten, warmTopic, without } from './fanout.ts'

type World = Pick<CheckContext, 'learner' | 'kafka'>

const line = (quantity: unknown): object => ({ ...order(1), items: [{ product_id: 'p', quantity: 1 }, { product_id: 'q', quantity }] })

check('orders-need-ids', async (world) => {
  world.did(both('made orders that lack an id, and what is no order at all, then a good order worth 0', 'tạo các đơn hàng thiếu id, và những thứ không phải đơn hàng, rồi một đơn hợp lệ có total bằng 0'))
  await refusesEach(world, [
    without('order_id'), without('user_id'), { ...order(1), order_id: null }, { ...order(1), user_id: undefined },
    { ...order(1), items: [{ quantity: 1 }] }, {}, null, undefined,
  ])
})

check('orders-need-items', async (world) => {
  world.did(both('made orders without items, then a good one worth 0', 'tạo các đơn hàng không có items, rồi một đơn hợp lệ có total bằng 0'))
  await refusesEach(world, [without('items'), { ...order(1), items: [] }, { ...order(1), items: null }, { ...order(1), items: {} }])
})

check('quantities-are-positive-integers', async (world) => {
  world.did(both('made orders with quantities that are no positive integers, then a good one worth 0', 'tạo các đơn hàng có quantity không phải số nguyên dương, rồi một đơn hợp lệ có total bằng 0'))
  await refusesEach(world, [0, -1, 1.5, NaN, Infinity, '2', null, undefined].map(line))
})

check('totals-are-finite-and-not-negative', async (world) => {
  world.did(both('made orders whose total is infinite, negative or no number, then a good one worth 0', 'tạo các đơn hàng có total vô hạn, âm hoặc không phải số, rồi một đơn hợp lệ có total bằng 0'))
  await refusesEach(world, [NaN, Infinity, -Infinity, -0.01, '10', null, undefined].map((total) => ({ ...order(1), total })))
})

check('a-batch-is-checked-first', async ({ learner, kafka, did }) => {
  did(both('made two batches, each of two good orders and a bad one, then a good batch', 'tạo hai lô, mỗi lô gồm hai đơn hợp lệ và một đơn hỏng, rồi một lô hợp lệ'))
  const topic = await kafka.topic()
  const producer = await openProducer(learner, topic)
  const bad = [{}, { ...order(3), items: [], total: -1 }]
  for (const one of bad) {
    const call = `createOrders([…, ${shown(one)}])`
    await refuses(() => producer.createOrders([order(1), order(2), one]), ['TypeError', 'RangeError'], both(call, call))
    same(learner.kafkaWire.requests('Produce').length, 0, both(`Produce requests after ${call}`, `số request Produce sau ${call}`))
  }
  await producer.createOrders([order(1), order(2)])
  await untilWritten(kafka, topic, 2)
  await producer.disconnect()
})

check('failed-orders-reject', async ({ learner, kafka, did }) => {
  did(both('made an order, then cut the connection whenever another one was on its way to Kafka',
    'tạo một đơn hàng, rồi cắt kết nối mỗi khi đơn tiếp theo đang trên đường đến Kafka'))
  const topic = await warmTopic(kafka)
  const client = await learner.withKafka({ retries: 2 })
  // However long a learner's own retries take.
  client.host.deadline(20_000)
  const producer = await openProducer(client, topic)
  await producer.createOrder(order(1))
  await untilWritten(kafka, topic, 2)
  client.kafkaWire.gate = ({ api }) => (api === 'Produce' ? 'cut' : 'pass')
  const calls = {
    'createOrder()': () => producer.createOrder(order(2)),
    'createOrders()': () => producer.createOrders([order(3), order(4)]),
  }
  for (const [name, call] of Object.entries(calls)) {
    const outcome = await settled(call())
    // The failure of a send that nobody waited for comes a little later: no other check would see it.
    if ('value' in outcome) await until(() => client.host.unhandled.length > 0, both('', ''), 1500).catch(() => {})
    holds('error' in outcome, both(`${name} for an order that never reached Kafka`, `${name} cho đơn hàng không bao giờ đến được Kafka`),
      both('a rejection', 'bị từ chối (reject)'), both('it resolved', 'lời gọi thành công'))
  }
})

/** Each order is refused and sends nothing; a good one, worth nothing, goes through afterwards. */
async function refusesEach({ learner, kafka }: World, orders: readonly unknown[]): Promise<void> {
  const topic = await kafka.topic()
  const producer = await openProducer(learner, topic)
  for (const one of orders) {
    const call = `createOrder(${shown(one)})`
    await refuses(() => producer.createOrder(one), ['TypeError', 'RangeError'], both(call, call))
    same(learner.kafkaWire.requests('Produce').length, 0, both(`Produce requests after ${call}`, `số request Produce sau ${call}`))
  }
  await producer.createOrder(order(1, { total: 0 }))
  await untilWritten(kafka, topic, 1)
  same(learner.kafkaWire.requests('Produce').length, 1,
    both('Produce requests in all, after one good order', 'tổng số request Produce sau một đơn hàng hợp lệ'))
  await producer.disconnect()
}

/**
 * Totals outlive the process and are exact to the cent; they are known as soon as start() has resolved. A Kafka that
 * cannot be reached is told, everything that was opened is closed again, and asking for a total costs Kafka nothing.
 */
import { both, check, holds, rejects, same, settled, until } from '#checks'
import { cutSends } from './hold.ts'
import { commitUnderWay, endsWith, ifItComes, knows, makeAnalytics, openShop, outputOf, sale, startAnalytics, totalsReach, untilTotals } from './shop.ts'

check('restart-goes-on', async ({ learner, another, kafka, did }) => {
  did(both('sold for 50, 1.09, 0.29 and 30 million, stopped, started again in another process and sold once more of each',
    'bán được 50, 1.09, 0.29 và 30 triệu, dừng lại, khởi động ở tiến trình khác rồi bán thêm mỗi thứ một lần'))
  const shop = await openShop(kafka)
  const before = await startAnalytics(learner, shop)
  // 1.09 × 100 is a little more than 109, 0.29 × 100 a little less than 29; the cents of 30 million do not fit a signed integer of 32 bits.
  await kafka.produce(shop.inputTopic, [sale('lamp', 5, 10), sale('pin', 1, 1.09), sale('nail', 1, 0.29), sale('yacht', 3, 10_000_000)])
  await untilTotals(kafka, shop, { lamp: 50, pin: 1.09, nail: 0.29, yacht: 30_000_000 })
  await commitUnderWay(kafka, shop, 4)
  await before.stop()
  const after = await startAnalytics(await another(), shop)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10), sale('pin', 1, 0.12), sale('nail', 1, 0.12), sale('yacht', 1, 0.5)])
  await untilTotals(kafka, shop, { lamp: 60, pin: 1.21, nail: 0.41, yacht: 30_000_000.5 })
  await after.stop()
})

check('total-is-right-at-start', async ({ learner, kafka, did }) => {
  did(both('sold two products for 50 and 20, stopped, started again with the same clients and asked for both totals at once',
    'bán hai sản phẩm được 50 và 20, dừng lại, khởi động lại với cùng client rồi hỏi ngay cả hai tổng'))
  const shop = await openShop(kafka)
  const before = await startAnalytics(learner, shop)
  await kafka.produce(shop.inputTopic, [sale('lamp', 5, 10), sale('chair', 1, 20)])
  await untilTotals(kafka, shop, { lamp: 50, chair: 20 })
  await commitUnderWay(kafka, shop, 2)
  await before.stop()
  const after = await startAnalytics(learner, shop)
  same([await after.getTotal('lamp'), await after.getTotal('chair')], [50, 20],
    both('getTotal() of both products right after start()', 'getTotal() của hai sản phẩm ngay sau start()'))
  await after.stop()
})

check('outputs-are-keyed', async ({ learner, kafka, did }) => {
  did(both('sold two products and two more whose ids only look like these, and looked at the keys of the output records',
    'bán hai sản phẩm cùng hai sản phẩm khác có id chỉ trông giống, rồi xem key của các bản ghi đầu ra'))
  const shop = await openShop(kafka)
  const analytics = await startAnalytics(learner, shop)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10), sale('caf\u00e9', 2, 20), sale(' lamp ', 1, 5), sale('cafe\u0301', 1, 7)])
  await untilTotals(kafka, shop, { lamp: 10, 'caf\u00e9': 40, ' lamp ': 5, 'cafe\u0301': 7 })
  for (const { key, value } of await kafka.readCommitted(shop.outputTopic)) {
    same(key === null ? null : String(key), outputOf(value).product_id, both('the key of an output record', 'key của bản ghi đầu ra'))
  }
  await analytics.stop()
})

check('sums-are-exact', async ({ learner, kafka, did }) => {
  did(both('sold ten times for 0.1, and 0.1 and 0.2, and three for 1.1, and 3,000,000,000 for 0.01',
    'bán mười lần giá 0.1, rồi 0.1 và 0.2, rồi ba cái giá 1.1, rồi 3000000000 cái giá 0.01'))
  const shop = await openShop(kafka)
  const analytics = await startAnalytics(learner, shop)
  await kafka.produce(shop.inputTopic, [
    ...Array.from({ length: 10 }, () => sale('pin', 1, 0.1)), sale('nail', 1, 0.1), sale('nail', 1, 0.2), sale('bolt', 3, 1.1),
    sale('grain', 3_000_000_000, 0.01),
  ])
  const totals = { pin: 1, nail: 0.3, bolt: 3.3, grain: 30_000_000 }
  await untilTotals(kafka, shop, totals)
  await knows(analytics, totals)
  await analytics.stop()
})

check('prices-become-whole-cents', async ({ learner, kafka, did }) => {
  did(both('sold things for 0.29, 1.15, 4.35, 1.01, 1234567.89 and 30000000.5',
    'bán hàng với giá 0.29, 1.15, 4.35, 1.01, 1234567.89 và 30000000.5'))
  const shop = await openShop(kafka)
  const analytics = await startAnalytics(learner, shop)
  const prices = { a: 0.29, b: 1.15, c: 4.35, d: 1.01, e: 1_234_567.89, f: 30_000_000.5 }
  await kafka.produce(shop.inputTopic, Object.entries(prices).map(([product, price]) => sale(product, 1, price)))
  await untilTotals(kafka, shop, prices)
  await analytics.stop()
})

check('unreachable-kafka-rejects', async ({ learner, kafka, did }) => {
  did(both('started, sold and stopped, then started again with Kafka out of reach', 'khởi động, bán rồi dừng, sau đó khởi động lại khi không kết nối được Kafka'))
  const shop = await openShop(kafka)
  const offline = await learner.withKafka({ retries: 1 })
  const online = await startAnalytics(offline, shop)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10)])
  await untilTotals(kafka, shop, { lamp: 10 })
  await online.stop()
  offline.kafkaWire.down()
  const analytics = await makeAnalytics(offline, shop)
  offline.host.deadline(20_000)
  await rejects(() => analytics.start(), both('start() while Kafka is out of reach', 'start() khi không kết nối được Kafka'))
})

check('asking-costs-kafka-nothing', async ({ learner, kafka, did }) => {
  did(both('held back everything sent to Kafka and asked for a total', 'giữ lại mọi thứ gửi đến Kafka rồi hỏi tổng'))
  const shop = await openShop(kafka)
  const analytics = await startAnalytics(learner, shop)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10)])
  await untilTotals(kafka, shop, { lamp: 10 })
  await knows(analytics, { lamp: 10 })
  const door = Promise.withResolvers<'pass'>()
  const made = learner.kafkaWire.made()
  learner.kafkaWire.gate = () => door.promise
  let total: unknown
  const asking = analytics.getTotal('lamp').then((value) => { total = value })
  try {
    await until(() => total !== undefined || learner.kafkaWire.made() > made,
      both('getTotal() to resolve while everything sent to Kafka is held back', 'getTotal() trả về khi mọi thứ gửi đến Kafka đang bị giữ lại'))
    holds(learner.kafkaWire.made() === made, both('connections to Kafka that getTotal() opened', 'số kết nối đến Kafka mà getTotal() mở ra'),
      '0', String(learner.kafkaWire.made() - made))
    same(total, 10, both('getTotal() while Kafka is silent', 'getTotal() khi Kafka im lặng'))
  } finally {
    door.resolve('pass')
    await asking.catch(() => {})
  }
  await analytics.stop()
})

check('no-leaked-connection', async ({ learner, kafka, did }) => {
  did(both('sold something, called lag(), wrote an invalid sale, cut the connection when a total was on its way to Kafka, stopped, and counted the connections; then cut a start() off, called stop() and counted again',
    'bán một món, gọi lag(), ghi một lần bán không hợp lệ, cắt kết nối khi một tổng đang trên đường đến Kafka, dừng lại rồi đếm số kết nối; sau đó cắt kết nối trong lúc start(), gọi stop() rồi đếm lại'))
  const shop = await openShop(kafka)
  // Few retries, or kafkajs would hide the failure from the code.
  const unlucky = await learner.withKafka({ retries: 1 })
  const { kafkaWire } = unlucky
  const analytics = await startAnalytics(unlucky, shop)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10)])
  await untilTotals(kafka, shop, { lamp: 10 })
  await analytics.lag()
  await kafka.produce(shop.inputTopic, [{ key: 'lamp', value: 'no sale' }])
  await ifItComes(async () => (await kafka.ends(shop.dlqTopic))[0]! > 0, 500)
  cutSends(unlucky)
  await kafka.produce(shop.inputTopic, [sale('chair', 1, 5)])
  // Who counts it twice has a check of its own.
  await totalsReach(kafka, shop, { chair: 5 }, { ms: 3000 }).catch(() => {})
  await analytics.stop()
  await until(() => kafkaWire.open() === 0,
    both('every connection to Kafka to be closed after stop()', 'mọi kết nối đến Kafka được đóng sau stop()'))
  await until(() => learner.wire.open() <= 1,
    both('every connection to Redis but the given one to be closed after stop()', 'mọi kết nối đến Redis trừ kết nối được truyền vào được đóng sau stop()'))
  await endsWith(kafka, shop, { lamp: 10 })
  const failing = await makeAnalytics(unlucky, shop)
  let left = 8
  kafkaWire.gate = ({ api }) => (api === 'Metadata' && left-- > 0 ? 'cut' : 'pass')
  await settled(failing.start())
  await settled(failing.stop())
  await until(() => kafkaWire.open() === 0,
    both('every connection to Kafka to be closed after a start() that was cut off and stop()', 'mọi kết nối đến Kafka được đóng sau khi start() bị cắt kết nối rồi gọi stop()'))
})

/**
 * What the stream is: sales go in, keyed by product, and every product's total comes out as a JSON record. The
 * same total is there to be asked for, and the names are known.
 */
import { both, check, holds, same, shown, until } from '#checks'
import { asksFor, firstText, topicByDefault } from './names.ts'
import { knows, openShop, outputOf, sale, startAnalytics, untilTotals } from './shop.ts'

check('totals-add-up', async ({ learner, kafka, did }) => {
  did(both('sold two products, before the start and after it, a dozen times in all',
    'bán hai sản phẩm, cả trước và sau khi khởi động, tổng cộng mười hai lần'))
  const shop = await openShop(kafka)
  await kafka.produce(shop.inputTopic, [sale('lamp', 2, 10), sale('chair', 1, 30)])
  const analytics = await startAnalytics(learner, shop)
  await untilTotals(kafka, shop, { lamp: 20, chair: 30 })
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 15)])
  await untilTotals(kafka, shop, { lamp: 35, chair: 30 })
  await knows(analytics, { lamp: 35, chair: 30 })
  // Up to offset 8, then from 9 on: as a text, 10 comes before 9.
  await kafka.produce(shop.inputTopic, Array.from({ length: 6 }, () => sale('lamp', 1, 1)))
  await untilTotals(kafka, shop, { lamp: 41, chair: 30 })
  await kafka.produce(shop.inputTopic, Array.from({ length: 3 }, () => sale('chair', 1, 10)))
  await untilTotals(kafka, shop, { lamp: 41, chair: 60 })
  await analytics.stop()
})

check('outputs-are-json', async ({ learner, kafka, did }) => {
  did(both('sold two products and read the records on the output topic', 'bán hai sản phẩm rồi đọc các bản ghi trên topic đầu ra'))
  const shop = await openShop(kafka)
  const analytics = await startAnalytics(learner, shop)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10), sale('chair', 2, 20)])
  const records = await until(async () => {
    const found = await kafka.readCommitted(shop.outputTopic)
    return found.length >= 2 ? found : null
  }, both('two records on the output topic', 'hai bản ghi trên topic đầu ra'))
  const seen = records.map(({ value }) => outputOf(value))
  for (const { total_revenue } of seen) {
    holds(typeof total_revenue === 'number', both('the total_revenue of an output record', 'giá trị total_revenue của bản ghi đầu ra'),
      both('a number', 'một số'), shown(total_revenue))
  }
  same(new Set([...seen].map(({ product_id }) => product_id)), new Set(['lamp', 'chair']),
    both('the products on the output topic', 'các sản phẩm trên topic đầu ra'))
  await analytics.stop()
})

check('unknown-product-is-zero', async ({ learner, kafka, did }) => {
  did(both('asked for the total of a product that was never sold', 'hỏi tổng của sản phẩm chưa bán lần nào'))
  const shop = await openShop(kafka)
  const analytics = await startAnalytics(learner, shop)
  same(await analytics.getTotal('lamp'), 0, both('getTotal() before any sale', 'getTotal() khi chưa bán gì'))
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10)])
  await knows(analytics, { lamp: 10 })
  for (const product of ['chair', 'constructor']) same(await analytics.getTotal(product), 0,
    both(`getTotal("${product}") for a product that was never sold`, `getTotal("${product}") cho sản phẩm chưa bán lần nào`))
  await analytics.stop()
})

check('names-by-default', async ({ learner, kafka, did }) => {
  did(both('left out one name at a time and looked at what the code asks Kafka for',
    'lần lượt bỏ từng tên rồi xem mã hỏi Kafka tên nào'))
  const shop = await openShop(kafka)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10)])
  await topicByDefault({ learner, kafka }, shop, 'inputTopic', 'sales')
  await topicByDefault({ learner, kafka }, shop, 'outputTopic', 'revenue')
  await asksFor(learner, shop, 'groupId',
    both('the code, without groupId, to ask Kafka for the group revenue-analytics', 'mã không được truyền groupId hỏi Kafka về group revenue-analytics'),
    (request) => (request.api === 'FindCoordinator' && firstText(request) === 'revenue-analytics' ? ['revenue-analytics'] : []))
})

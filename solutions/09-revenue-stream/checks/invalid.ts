/** What is no sale goes to the dead-letter queue, counts for nothing, and holds up nobody. */
import { both, check, holds, shown, until, type CheckContext } from '#checks'
import type { Message } from 'kafkajs'
import { topicByDefault } from './names.ts'
import { openShop, sale, startAnalytics, tells, untilTotals } from './shop.ts'

check('broken-records-are-set-aside', async ({ learner, kafka, did }) => {
  did(both('wrote records that are not JSON objects between two sales', 'ghi các bản ghi không phải object JSON xen giữa hai lần bán'))
  await setsAside({ learner, kafka }, ['not json', '{"product_id":"lamp","quan', 'null', '42', '[]', null])
})

check('incomplete-sales-are-set-aside', async ({ learner, kafka, did }) => {
  did(both('wrote sales that lack a field between two sales', 'ghi các lần bán thiếu trường xen giữa hai lần bán'))
  await setsAside({ learner, kafka }, [
    { quantity: 1, price: 10 }, { product_id: 'lamp', price: 10 }, { product_id: 'lamp', quantity: 1 }, {},
  ].map((value) => JSON.stringify(value)))
})

check('numbers-must-be-numbers', async ({ learner, kafka, did }) => {
  did(both('wrote sales whose quantity or price is no number between two sales',
    'ghi các lần bán có quantity hoặc price không phải số xen giữa hai lần bán'))
  await setsAside({ learner, kafka }, [
    { quantity: '2', price: 10 }, { quantity: 1, price: '10' }, { quantity: '2', price: '10' }, { quantity: true, price: 10 },
    { quantity: 1, price: null }, { quantity: [1], price: 10 },
  ].map((fields) => JSON.stringify({ product_id: 'lamp', ...fields })))
})

check('quantities-are-positive-integers', async ({ learner, kafka, did }) => {
  did(both('wrote sales of 0, -1 and 1.5 pieces between two sales', 'ghi các lần bán với quantity 0, -1 và 1.5 xen giữa hai lần bán'))
  await setsAside({ learner, kafka }, [0, -1, 1.5].map((quantity) => JSON.stringify({ product_id: 'lamp', quantity, price: 10 })))
})

check('prices-are-not-negative', async ({ learner, kafka, did }) => {
  did(both('wrote sales for -1, -0.01 and 0, the last one of another product, between two sales', 'ghi các lần bán giá -1, -0.01 và 0, lần cuối của sản phẩm khác, xen giữa hai lần bán'))
  await setsAside({ learner, kafka }, [-1, -0.01].map((price) => JSON.stringify({ product_id: 'lamp', quantity: 1, price })), [sale('gift', 3, 0)])
})

check('dead-letters-by-default', async ({ learner, kafka, did }) => {
  did(both('left out dlqTopic and looked at which topic the code asks Kafka for', 'không truyền dlqTopic rồi xem mã hỏi Kafka topic nào'))
  const shop = await openShop(kafka)
  await kafka.produce(shop.inputTopic, [{ key: 'lamp', value: 'no sale' }])
  await topicByDefault({ learner, kafka }, shop, 'dlqTopic', 'sales.dlq')
})

/** Each of `values` is found again on the dead-letter topic and nothing else is; the sales around them count. */
async function setsAside(
  { learner, kafka }: Pick<CheckContext, 'learner' | 'kafka'>, values: readonly (string | null)[], free: readonly Message[] = [],
): Promise<void> {
  const sales = [sale('lamp', 1, 100), ...free, sale('lamp', 1, 7)]
  const shop = await openShop(kafka)
  const analytics = await startAnalytics(learner, shop)
  await kafka.produce(shop.inputTopic, [
    ...sales.slice(0, -1), ...values.map((value) => ({ key: 'lamp', value })), ...sales.slice(-1),
  ])
  await untilTotals(kafka, shop, free.length > 0 ? { lamp: 107, gift: 0 } : { lamp: 107 })
  const found = await until(async () => {
    const records = await kafka.readCommitted(shop.dlqTopic)
    return records.length >= values.length ? records.map(({ value }) => String(value)) : null
  }, both(`${values.length} records on the dead-letter topic`, `${values.length} bản ghi trên topic DLQ`))
  for (const value of values) {
    if (value === null) continue
    holds(found.some((text) => tells(text, value)), both(`the record ${shown(value)}`, `bản ghi ${shown(value)}`),
      both('on the dead-letter topic', 'có trên topic DLQ'), shown(found))
  }
  const others = found.filter((text) => sales.some(({ value }) => tells(text, String(value))))
  holds(others.length === 0, both('valid sales on the dead-letter topic', 'lần bán hợp lệ trên topic DLQ'), both('none', 'không có'), shown(others))
  await analytics.stop()
}

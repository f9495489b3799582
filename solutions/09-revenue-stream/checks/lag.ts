/**
 * lag() counts the records of the input that the group has not processed: exactly where nobody writes in transactions,
 * for every partition and not only one's own, and 0 once everything was read, control records or not.
 */
import { becomes, between, both, check, quiet, same, until, type KafkaRequest, type Learner } from '#checks'
import { COMMITS, hold, untilHeld } from './hold.ts'
import { openShop, productIn, sale, startAnalytics, untilFetching, untilTotals } from './shop.ts'

const [one, other] = [productIn(0), productIn(1)]

check('lag-is-exact', async ({ learner, kafka, did }) => {
  did(both('held back first what the instance reads, then what it writes, and sold twice to one partition and three times to another',
    'giữ lại việc đọc rồi việc ghi của instance, và bán hai lần vào một partition và ba lần vào partition khác'))
  const shop = await openShop(kafka, 2)
  const analytics = await startAnalytics(learner, shop)
  await kafka.produce(shop.inputTopic, [sale(one, 1, 10)])
  await becomes(() => analytics.lag(), 0, both('lag() to be 0 once everything was read', 'lag() bằng 0 khi đã đọc hết'))
  const release = await holdReading(learner)
  await kafka.produce(shop.inputTopic, [sale(one, 1, 1), sale(one, 1, 1), sale(other, 1, 1), sale(other, 1, 1), sale(other, 1, 1)])
  same(await analytics.lag(), 5, both('lag() with five records unread', 'lag() khi còn năm bản ghi chưa đọc'))
  const written = await kafka.ends(shop.outputTopic)
  release()
  const held = hold(learner, ['Produce', ...COMMITS])
  await untilHeld(held, kafka, shop, written)
  await quiet(learner)
  learner.wire.forget()
  const lag = await analytics.lag()
  // Who asks the store for it may call processed what is counted there already.
  const least = learner.wire.commands().length > 0 ? 0 : 5
  between(lag, least, 5, both('lag() with five records whose totals have not got to Kafka', 'lag() khi tổng của năm bản ghi chưa đến Kafka'))
  await held.release()
  await becomes(() => analytics.lag(), 0, both('lag() to be 0 again', 'lag() trở lại 0'))
  await analytics.stop()
})

check('lag-counts-every-partition', async ({ learner, another, kafka, did }) => {
  did(both('started two instances with a partition each, held back what they read, and sold to both partitions',
    'khởi động hai instance, mỗi bên một partition, giữ lại việc đọc của chúng rồi bán vào cả hai partition'))
  const shop = await openShop(kafka, 2)
  const second = await another()
  const instances = [await startAnalytics(learner, shop), await startAnalytics(second, shop)]
  await untilFetching(second, shop, both('the second instance to read', 'instance thứ hai bắt đầu đọc'))
  await kafka.produce(shop.inputTopic, [sale(one, 1, 10), sale(other, 1, 20)])
  for (const analytics of instances) await becomes(() => analytics.lag(), 0,
    both('lag() of each instance to be 0 once everything was read', 'lag() của mỗi instance bằng 0 khi đã đọc hết'))
  const releases = await Promise.all([learner, second].map(holdReading))
  await kafka.produce(shop.inputTopic, [sale(one, 1, 1), sale(other, 1, 1), sale(other, 1, 1)])
  same(await Promise.all(instances.map((analytics) => analytics.lag())), [3, 3],
    both('lag() of the two instances with one record unread in one partition and two in the other',
      'lag() của hai instance khi còn một bản ghi chưa đọc ở một partition và hai ở partition kia'))
  for (const release of releases) release()
  for (const analytics of instances) await becomes(() => analytics.lag(), 0,
    both('lag() of each instance to be 0 again', 'lag() của mỗi instance trở lại 0'))
  await Promise.all(instances.map((analytics) => analytics.stop()))
})

check('lag-ends-at-zero', async ({ learner, kafka, did }) => {
  did(both('wrote sales to the input in transactions', 'ghi các lần bán vào topic đầu vào trong các transaction'))
  const shop = await openShop(kafka)
  const analytics = await startAnalytics(learner, shop)
  await kafka.produceInTransaction(shop.inputTopic, [sale('lamp', 1, 10), sale('lamp', 1, 5)])
  await untilTotals(kafka, shop, { lamp: 15 })
  await kafka.produceInTransaction(shop.inputTopic, [sale('lamp', 1, 1)])
  await untilTotals(kafka, shop, { lamp: 16 })
  await becomes(() => analytics.lag(), 0,
    both('lag() to be 0 once everything was read, with control records behind the sales',
      'lag() bằng 0 khi đã đọc hết, với bản ghi điều khiển (control record) nằm sau các lần bán'))
  await analytics.stop()
})

/** Holds back every Fetch; resolves once none is under way at the broker. */
async function holdReading({ kafkaWire }: Learner): Promise<() => void> {
  const door = Promise.withResolvers<'pass'>()
  const held = new Set<KafkaRequest>()
  kafkaWire.gate = (request) => {
    if (request.api !== 'Fetch') return 'pass'
    held.add(request)
    return door.promise
  }
  await until(() => held.size > 0 && [...kafkaWire.underWay].every((request) => request.api !== 'Fetch' || held.has(request)),
    both('the instance to read', 'instance bắt đầu đọc'))
  return () => {
    kafkaWire.gate = null
    door.resolve('pass')
  }
}

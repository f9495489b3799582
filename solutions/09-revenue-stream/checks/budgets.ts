/** A backlog is worked off in batches: neither transactions nor trips to the store are made record by record. */
import { atMost, both, check, type CheckContext, type Command, type RedisWire } from '#checks'
import { openShop, sale, startAnalytics, untilTotals } from './shop.ts'

const BACKLOG = 500
const MOST = BACKLOG / 5

check('backlog-takes-few-transactions', async ({ learner, kafka, did }) => {
  did(both(`counted the transactions for a backlog of ${BACKLOG} sales`, `đếm số transaction cho ${BACKLOG} lần bán tồn đọng`))
  const transactions = (): number => learner.kafkaWire.requests('EndTxn').length
  await worksOff({ learner, kafka }, transactions)
  atMost(transactions(), MOST, both(`transactions for ${BACKLOG} sales`, `số transaction cho ${BACKLOG} lần bán`))
})

check('backlog-takes-few-store-trips', async ({ learner, kafka, did }) => {
  did(both(`counted the round trips to the store for a backlog of ${BACKLOG} sales`, `đếm số lượt gửi–nhận với store cho ${BACKLOG} lần bán tồn đọng`))
  const trips = tripsOf(learner.wire)
  await worksOff({ learner, kafka }, trips)
  atMost(trips(), MOST, both(`round trips to the store for ${BACKLOG} sales`, `số lượt gửi–nhận với store cho ${BACKLOG} lần bán`))
})

/** Works off the backlog, unless `count` is beyond the budget before that. */
async function worksOff({ learner, kafka }: Pick<CheckContext, 'learner' | 'kafka'>, count: () => number): Promise<void> {
  const shop = await openShop(kafka)
  const products = ['lamp', 'chair', 'table', 'shelf', 'vase']
  await kafka.produce(shop.inputTopic, Array.from({ length: BACKLOG }, (_, i) => sale(products[i % products.length]!, 1, 1)))
  const analytics = await startAnalytics(learner, shop)
  const totals = Object.fromEntries(products.map((product) => [product, BACKLOG / products.length]))
  await untilTotals(kafka, shop, totals, { ms: 15_000, unless: () => count() > MOST })
  if (count() <= MOST) await analytics.stop()
}

/** How often a command was sent with none under way: commands sent together are one trip. */
function tripsOf(wire: RedisWire): () => number {
  let trips = 0
  let underWay: Command[] = []
  wire.gate = (command) => {
    underWay = underWay.filter(({ reply }) => reply === null)
    if (underWay.length === 0) trips++
    underWay.push(command)
    return 'pass'
  }
  return () => trips
}

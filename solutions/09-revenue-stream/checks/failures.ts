/**
 * Kafka fails in the middle of the work while the process lives on: what was sold is counted once all the same. Whether
 * the stream heals by itself or has to be started again is its own business.
 */
import { both, check, holds, type ApiName, type CheckContext, type Learner } from '#checks'
import { cutSends, FINAL_COMMITS, kill } from './hold.ts'
import { commitUnderWay, endsWith, isSetAside, noSale, openShop, sale, startAnalytics, totalsReach, untilTotals, type Shop } from './shop.ts'

check('failed-send-counts-once', async ({ learner, another, kafka, did }) => {
  did(both('cut the connection three times when totals were on their way to Kafka, and when an invalid sale was on its way to the DLQ',
    'cắt kết nối ba lần khi các tổng đang trên đường đến Kafka, và khi lần bán không hợp lệ đang trên đường đến DLQ'))
  await survives({ learner, another, kafka }, cutSends)
})

check('lost-answer-counts-once', async ({ learner, another, kafka, did }) => {
  did(both('cut the connection when Kafka had a commit, before its answer arrived',
    'cắt kết nối khi Kafka đã nhận commit, trước khi phản hồi về đến nơi'))
  await survives({ learner, another, kafka }, ({ kafkaWire }) => {
    let left = 1
    const loses = (api: ApiName): boolean => FINAL_COMMITS.includes(api) && left-- > 0
    kafkaWire.replyGate = ({ api }) => (loses(api) ? 'lose' : 'pass')
  })
})

async function survives(
  { learner, another, kafka }: Pick<CheckContext, 'learner' | 'another' | 'kafka'>, breakKafka: (unlucky: Learner, shop: Shop) => void,
): Promise<void> {
  const shop = await openShop(kafka)
  // Few retries, or kafkajs would hide the failure from the code.
  const unlucky = await another({ kafka: { retries: 1 } })
  await startAnalytics(unlucky, shop)
  const [known, doubtful] = [noSale('1'), noSale('2')]
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10), known])
  await untilTotals(kafka, shop, { lamp: 10 })
  // Who sets nothing aside at all fails other checks.
  const setsAside = await isSetAside(kafka, shop, known)
  await commitUnderWay(kafka, shop, 2)
  breakKafka(unlucky, shop)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 20), doubtful])
  await totalsReach(kafka, shop, { lamp: 30 }, { ms: 3000 })
  // What is delivered again comes before this one; and of another product, so that it brings no lost total to light.
  await kafka.produce(shop.inputTopic, [sale('chair', 1, 5)])
  await totalsReach(kafka, shop, { lamp: 30, chair: 5 }, { ms: 3000 })
  // What is written but not yet committed when a process is killed is another check's business.
  await commitUnderWay(kafka, shop, 5)
  await kill(unlucky, kafka, shop)
  const next = await startAnalytics(learner, shop)
  await untilTotals(kafka, shop, { lamp: 30, chair: 5 })
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 7)])
  await untilTotals(kafka, shop, { lamp: 37, chair: 5 })
  await next.stop()
  await endsWith(kafka, shop, { lamp: 37, chair: 5 })
  if (setsAside) holds(await isSetAside(kafka, shop, doubtful), both('an invalid sale of the batch that failed', 'lần bán không hợp lệ thuộc batch bị lỗi'),
    both('on the dead-letter topic', 'có trên topic DLQ'), both('not there', 'không có'))
}

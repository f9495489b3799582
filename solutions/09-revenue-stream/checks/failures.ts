/**
 * Kafka fails in the middle of the work while the process lives on: what was sold is counted once all the same. Whether
 * the stream heals by itself or has to be started again is its own business.
 */
import { both, check, type ApiName, type CheckContext, type Learner } from '#checks'
import { cutSends, FINAL_COMMITS, kill } from './hold.ts'
import { commitUnderWay, endsWith, openShop, sale, startAnalytics, totalsReach, untilTotals } from './shop.ts'

check('failed-send-counts-once', async ({ learner, another, kafka, did }) => {
  did(both('cut the connection up to three times when totals were on their way to Kafka, sold on, then killed the process and started another one',
    'cắt kết nối tối đa ba lần khi các tổng đang trên đường đến Kafka, bán tiếp, rồi dừng đột ngột tiến trình và khởi động tiến trình khác'))
  await survives({ learner, another, kafka }, cutSends)
})

check('lost-answer-counts-once', async ({ learner, another, kafka, did }) => {
  did(both('cut the connection when Kafka had a commit, before its answer arrived, sold on, then killed the process and started another one',
    'cắt kết nối khi Kafka đã nhận commit, trước khi phản hồi về đến nơi, bán tiếp, rồi dừng đột ngột tiến trình và khởi động tiến trình khác'))
  await survives({ learner, another, kafka }, ({ kafkaWire }) => {
    let left = 1
    const loses = (api: ApiName): boolean => FINAL_COMMITS.includes(api) && left-- > 0
    kafkaWire.replyGate = ({ api }) => (loses(api) ? 'lose' : 'pass')
  })
})

async function survives(
  { learner, another, kafka }: Pick<CheckContext, 'learner' | 'another' | 'kafka'>, breakKafka: (unlucky: Learner) => void,
): Promise<void> {
  const shop = await openShop(kafka)
  // Few retries, or kafkajs would hide the failure from the code.
  const unlucky = await another({ kafka: { retries: 1 } })
  await startAnalytics(unlucky, shop)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10)])
  await untilTotals(kafka, shop, { lamp: 10 })
  await commitUnderWay(kafka, shop, 1)
  breakKafka(unlucky)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 20)])
  await totalsReach(kafka, shop, { lamp: 30 }, { ms: 3000 })
  // What is delivered again comes before this one; and of another product, so that it brings no lost total to light.
  await kafka.produce(shop.inputTopic, [sale('chair', 1, 5)])
  await totalsReach(kafka, shop, { lamp: 30, chair: 5 }, { ms: 3000 })
  // What is written but not yet committed when a process is killed is another check's business.
  await commitUnderWay(kafka, shop, 3)
  await kill(unlucky, kafka, shop)
  const next = await startAnalytics(learner, shop)
  await untilTotals(kafka, shop, { lamp: 30, chair: 5 })
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 7)])
  await untilTotals(kafka, shop, { lamp: 37, chair: 5 })
  await next.stop()
  await endsWith(kafka, shop, { lamp: 37, chair: 5 })
}

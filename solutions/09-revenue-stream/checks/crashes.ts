/**
 * A reader of committed records sees totals that never go down and end in the exact sum, wherever a process ends: in an
 * orderly way, between two writes to the store, before its output, between output and commit, or right after it.
 */
import { both, check, CheckFailed, holds, same, until, type Learner } from '#checks'
import type { Message } from 'kafkajs'
import { COMMITS, FINAL_COMMITS, hold, holdStore, kill, untilHeld, type HeldStore } from './hold.ts'
import {
  commitUnderWay, endsWith, ifItComes, isSetAside, knows, noSale, openShop, sale, startAnalytics, untilTotals, type Shop, type World,
} from './shop.ts'

/** More than is worked off in one step, and few enough to come in one batch. */
const MANY = 600

check('totals-never-drop-at-a-restart', async ({ learner, kafka, did }) => {
  did(both('sold four times, more than one fetch holds, then stopped and started again',
    'bán bốn lần, nhiều hơn một lượt fetch chứa được, rồi dừng lại và khởi động lại'))
  const shop = await openShop(kafka)
  const before = await startAnalytics(learner, shop)
  // White space between JSON's tokens means nothing, but it takes room: four of these do not come in one fetch.
  const large = { ...sale('lamp', 1, 10), value: `${String(sale('lamp', 1, 10).value)}${' '.repeat(300_000)}` }
  for (let i = 0; i < 2; i++) await kafka.produce(shop.inputTopic, [large, large])
  await untilTotals(kafka, shop, { lamp: 40 })
  await commitUnderWay(kafka, shop, 4)
  await before.stop()
  const after = await startAnalytics(learner, shop)
  await kafka.produce(shop.inputTopic, [sale('chair', 1, 5)])
  await untilTotals(kafka, shop, { lamp: 40, chair: 5 })
  await after.stop()
  await endsWith(kafka, shop, { lamp: 40, chair: 5 })
})

check('stop-loses-no-sale', async ({ learner, kafka, did }) => {
  did(both(`called stop() when the first totals of ${MANY} sales were on their way to Kafka, then started again`,
    `gọi stop() khi các tổng đầu tiên của ${MANY} lần bán đang trên đường đến Kafka, rồi khởi động lại`))
  const shop = await openShop(kafka)
  const before = await startAnalytics(learner, shop)
  const held = hold(learner, ['Produce'])
  await kafka.produce(shop.inputTopic, Array.from({ length: MANY }, () => sale('lamp', 1, 1)))
  await untilHeld(held, kafka, shop, [0])
  let hasStopped = false
  void before.stop().catch(() => {}).then(() => { hasStopped = true })
  await learner.host.idle()
  await held.release()
  // Who takes a step for each sale would need long to stop and to catch up: that is for the budgets to see.
  const isSlow = (): boolean => learner.kafkaWire.requests('Produce').length > 100
  await until(() => hasStopped || isSlow(), both('stop() to resolve', 'stop() hoàn tất'), 8000)
  if (isSlow()) return
  const after = await startAnalytics(learner, shop)
  await untilTotals(kafka, shop, { lamp: MANY }, { ms: 15_000, unless: isSlow })
  if (isSlow()) return
  await after.stop()
  await endsWith(kafka, shop, { lamp: MANY })
})

check('crash-between-writes-to-the-store', async (world) => {
  world.did(both('killed a process between one write to the store and the next, and started another one',
    'dừng đột ngột tiến trình giữa hai lần ghi vào store, rồi khởi động tiến trình khác'))
  const writes = await writesForABatch(world)
  for (let done = 1; done < Math.min(writes, MOST_WRITES); done++) {
    let store: HeldStore | undefined
    try {
      await crashes(world, async (_, doomed, produce) => {
        const held = (store = holdStore(doomed, done))
        await produce()
        await ifItComes(() => held.isHeld, 2000)
      })
    } catch (error) {
      throw error instanceof CheckFailed && store ? store.explain(error) : error
    }
  }
})

check('crash-before-the-output', async (world) => {
  world.did(both('killed a process when its totals were on their way to Kafka, and started another one',
    'dừng đột ngột tiến trình khi các tổng đang trên đường đến Kafka, rồi khởi động tiến trình khác'))
  await crashes(world, async (shop, doomed, produce) => {
    const held = hold(doomed, ['Produce'])
    await produce()
    await untilHeld(held, world.kafka, shop, await world.kafka.ends(shop.outputTopic))
  })
})

check('crash-before-the-commit', async (world) => {
  world.did(both('killed a process after its output, before its commit reached Kafka, and started another one',
    'dừng đột ngột tiến trình sau khi ghi kết quả, trước khi commit đến Kafka, rồi khởi động tiến trình khác'))
  await crashes(world, async (shop, doomed, produce) => {
    const written = await world.kafka.ends(shop.outputTopic)
    const held = hold(doomed, COMMITS)
    await produce()
    await untilHeld(held, world.kafka, shop, written)
  })
})

check('crash-after-the-commit', async (world) => {
  const { kafka } = world
  world.did(both('killed a process when Kafka had its commit of valid and invalid sales, before the answer came, and started another one',
    'dừng đột ngột tiến trình khi Kafka đã nhận commit cho các lần bán hợp lệ và không hợp lệ nhưng phản hồi chưa về, rồi khởi động tiến trình khác'))
  const doubtful = noSale('2')
  let setsAside = false
  const shop = await crashes(world, async (shop, doomed, produce) => {
    // Who sets nothing aside at all fails other checks.
    setsAside = await isSetAside(kafka, shop, known)
    let answered = false
    doomed.kafkaWire.replyGate = ({ api }) => {
      if (!FINAL_COMMITS.includes(api)) return 'pass'
      answered = true
      return new Promise(() => {})
    }
    await produce([doubtful])
    await ifItComes(() => answered, 1500)
    // It answers before the offsets can be read: until then the next one would be given the batch again.
    await commitUnderWay(kafka, shop, 5)
  })
  if (setsAside) holds(await isSetAside(kafka, shop, doubtful), both('an invalid sale of the batch in which the process was killed', 'lần bán không hợp lệ thuộc batch lúc tiến trình bị dừng'),
    both('on the dead-letter topic', 'có trên topic DLQ'), both('not there', 'không có'))
})

check('starts-behind-control-records', async ({ learner, another, kafka, did }) => {
  did(both('killed a process in the middle of its very first output, and started another one',
    'dừng đột ngột tiến trình khi đang ghi kết quả đầu tiên, rồi khởi động tiến trình khác'))
  const shop = await openShop(kafka)
  const doomed = await another()
  await startAnalytics(doomed, shop)
  const held = hold(doomed, COMMITS)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 20)])
  await untilHeld(held, kafka, shop, [0])
  await kill(doomed, kafka, shop)
  const analytics = await startAnalytics(learner, shop)
  await untilTotals(kafka, shop, { lamp: 20 })
  await analytics.stop()
  const again = await startAnalytics(learner, shop)
  same(await again.getTotal('lamp'), 20, both('getTotal() after one more start', 'getTotal() sau một lần khởi động nữa'))
  await again.stop()
})

/** Each takes a process of its own. Whoever writes more often has been between two of them by then. */
const MOST_WRITES = 4

/** How often a batch of two sales makes a process write to the store. */
async function writesForABatch({ learner, kafka }: World): Promise<number> {
  const shop = await openShop(kafka)
  const analytics = await startAnalytics(learner, shop)
  const store = holdStore(learner, Infinity)
  await kafka.produce(shop.inputTopic, [sale('lamp', 2, 10), sale('lamp', 1, 5)])
  await untilTotals(kafka, shop, { lamp: 25 })
  await analytics.stop()
  learner.wire.gate = null
  return store.writes
}

/** An invalid sale that nothing happens to. */
const known = noSale('1')

/**
 * A process that has sold for 10 is killed in the middle of selling for 25 more, at the moment that `crash` waits for;
 * then another one takes its place. What became of the 25 is looked at before anything else is sold: a later sale
 * would bring a lost output to light again.
 */
async function crashes(
  { learner, another, kafka }: World,
  crash: (shop: Shop, doomed: Learner, produce: (more?: readonly Message[]) => Promise<void>) => Promise<void>,
): Promise<Shop> {
  const shop = await openShop(kafka)
  const doomed = await another()
  await startAnalytics(doomed, shop)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10), known])
  await untilTotals(kafka, shop, { lamp: 10 })
  await commitUnderWay(kafka, shop, 2)
  await crash(shop, doomed, (more = []) => kafka.produce(shop.inputTopic, [sale('lamp', 2, 10), sale('lamp', 1, 5), ...more]))
  await kill(doomed, kafka, shop)
  const analytics = await startAnalytics(learner, shop)
  await untilTotals(kafka, shop, { lamp: 35 })
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 100)])
  await untilTotals(kafka, shop, { lamp: 135 })
  await knows(analytics, { lamp: 135 })
  await analytics.stop()
  await endsWith(kafka, shop, { lamp: 135 })
  return shop
}

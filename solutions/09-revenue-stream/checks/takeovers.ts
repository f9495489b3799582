/**
 * Partitions go from one instance to another with all that was counted, and whoever had them before can neither write
 * an older total after a newer one nor have a commit overlooked.
 */
import { both, check, until, type ApiName, type CheckContext, type KafkaRequest, type Learner } from '#checks'
import { before, FINAL_COMMITS, hold, untilHeld, WRITES, type Held } from './hold.ts'
import { firstText } from './names.ts'
import {
  commitUnderWay, endsWith, ifItComes, knows, makeAnalytics, openShop, productIn, REBALANCE_MS, sale, startAnalytics, untilFetching, untilTotals,
  type Analytics, type Shop, type World,
} from './shop.ts'

const [one, other] = [productIn(0), productIn(1)]

check('second-instance-takes-over', async ({ learner, another, kafka, did }) => {
  did(both('sold to two partitions, started a second instance, sold again, stopped the first one and sold once more',
    'bán vào hai partition, khởi động instance thứ hai rồi bán tiếp, dừng instance đầu rồi lại bán tiếp'))
  const { shop, instances: [first, second], newcomer } = await twoInstances({ learner, another, kafka })
  await stops(first, newcomer, kafka, shop)
  await kafka.produce(shop.inputTopic, [sale(one, 1, 2), sale(other, 1, 2)])
  await untilTotals(kafka, shop, { [one]: 17, [other]: 27 })
  await second.stop()
  await endsWith(kafka, shop, { [one]: 17, [other]: 27 })
})

check('partitions-come-back', async ({ learner, another, kafka, did }) => {
  did(both('let an instance that had both partitions give one to a second one, sold to both, stopped the second one, asked for the totals and sold again',
    'cho instance đang giữ cả hai partition nhường một cho instance thứ hai, bán vào cả hai, dừng instance thứ hai, hỏi các tổng rồi bán tiếp'))
  const { shop, instances: [first, second] } = await twoInstances({ learner, another, kafka })
  await stops(second, learner, kafka, shop)
  await knows(first, { [one]: 15, [other]: 25 })
  await kafka.produce(shop.inputTopic, [sale(one, 1, 2), sale(other, 1, 2)])
  await untilTotals(kafka, shop, { [one]: 17, [other]: 27 })
  // The one that is left answers for both partitions.
  await knows(first, { [one]: 17, [other]: 27 })
  await first.stop()
  await endsWith(kafka, shop, { [one]: 17, [other]: 27 })
})

check('held-output-cannot-overtake', async ({ learner, another, kafka, did }) => {
  did(both('held an output of one instance on its way to Kafka until another one had taken over and written newer totals',
    'giữ kết quả của một instance trên đường đến Kafka cho đến khi instance khác tiếp quản và ghi tổng mới hơn'))
  const shop = await openShop(kafka)
  const slow = await another()
  const held = await inTheMiddle(slow, kafka, shop, () => hold(slow, ['Produce']))
  const heir = await startAnalytics(learner, shop)
  await untilTotals(kafka, shop, { lamp: 30 })
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 5)])
  await untilTotals(kafka, shop, { lamp: 35 })
  await held.release()
  await slow.host.idle()
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 1)])
  await untilTotals(kafka, shop, { lamp: 36 })
  await Promise.all([heir.stop(), slow.kill()])
  await endsWith(kafka, shop, { lamp: 36 })
})

check('commit-during-the-takeover', async (world) => {
  world.did(both('held a commit of one instance until another one, taking over, was about to ask for the group\'s offsets',
    'giữ commit của một instance cho đến khi instance khác đang tiếp quản sắp hỏi offset của group'))
  // What it reads or fences before that, it has read and fenced by now.
  await commitsLate(world, FINAL_COMMITS, asksForOffsets, standsStill)
})

check('commit-after-the-position', async (world) => {
  world.did(both('held a commit of one instance until another one, taking over, had the group\'s offsets and was about to read the output, or was about to fence it off; then held a whole transaction until that',
    'giữ commit của một instance cho đến khi instance khác đang tiếp quản đã có offset của group và sắp đọc đầu ra, hoặc sắp chặn nó; rồi giữ cả một transaction cho đến lúc sắp bị chặn'))
  const hasOffsets = (shop: Shop, heir: Learner): boolean =>
    heir.kafkaWire.requests('OffsetFetch').some((request) => request.answered && asksForOffsets(request, shop))
  await commitsLate(world, FINAL_COMMITS, (request, shop, heir) => isFence(request) || (readsOutput(request, shop) && hasOffsets(shop, heir)), knowsItsPosition)
  await commitsLate({ ...world, learner: await world.another() }, WRITES, isFence, knowsItsPosition)
})

/** Stops an instance; resolves when the one that is left has been given its partitions. */
async function stops(leaving: Analytics, left: Learner, kafka: CheckContext['kafka'], shop: Shop): Promise<void> {
  await commitUnderWay(kafka, shop, 4)
  const syncs = (): KafkaRequest[] => left.kafkaWire.requests('SyncGroup').filter((request) => firstText(request) === shop.groupId && request.answered)
  const before = syncs().length
  await leaving.stop()
  await until(() => syncs().length > before, both('the other instance to be given the partitions', 'instance kia được giao các partition'), REBALANCE_MS)
}

/** One without a transactional id, which kafkajs sends for every idempotent producer, fences nobody. */
const isFence = ({ api, body }: KafkaRequest): boolean => api === 'InitProducerId' && body.readInt16BE(0) >= 0

const asksForOffsets = (request: KafkaRequest, shop: Shop): boolean => request.api === 'OffsetFetch' && firstText(request) === shop.groupId

const readsOutput = ({ api, body }: KafkaRequest, shop: Shop): boolean => ['ListOffsets', 'Fetch'].includes(api) && body.includes(shop.outputTopic)

/** Waits until the consumer that is a member of the group has the group's offsets, where it joins before it fences. */
async function knowsItsPosition({ kafkaWire }: Learner, shop: Shop): Promise<void> {
  const member = (): number | undefined => kafkaWire.requests('JoinGroup').find((request) => firstText(request) === shop.groupId)?.connection
  await ifItComes(() => member() !== undefined, 500)
  if (member() === undefined) return
  await ifItComes(() => kafkaWire.requests('OffsetFetch').some((request) => request.answered && request.connection === member()), 4000)
}

/** Waits until all that was sent has been answered, apart from what is held, and nothing more comes. */
async function standsStill({ kafkaWire, host }: Learner): Promise<void> {
  const sent = (): KafkaRequest[] => kafkaWire.log.filter(({ api }) => api !== 'Heartbeat' && api !== 'Fetch')
  let since = performance.now()
  let before = 0
  await ifItComes(async () => {
    await host.idle()
    const requests = sent()
    if (requests.length !== before || requests.some(({ fate, answered }) => fate === 'passed' && !answered)) since = performance.now()
    before = requests.length
    return performance.now() - since > 400
  }, 4000)
}

/** Two instances with a partition each, of which the first had both; 15 and 25 were sold to the partitions. */
async function twoInstances({ learner, another, kafka }: World): Promise<{ shop: Shop; instances: [Analytics, Analytics]; newcomer: Learner }> {
  const shop = await openShop(kafka, 2)
  const first = await startAnalytics(learner, shop)
  await kafka.produce(shop.inputTopic, [sale(one, 1, 10), sale(other, 1, 20)])
  await untilTotals(kafka, shop, { [one]: 10, [other]: 20 })
  await commitUnderWay(kafka, shop, 2)
  const newcomer = await another()
  const second = await startAnalytics(newcomer, shop)
  await untilFetching(newcomer, shop, both('the second instance to read its partition', 'instance thứ hai đọc partition của nó'))
  await kafka.produce(shop.inputTopic, [sale(one, 1, 5), sale(other, 1, 5)])
  await untilTotals(kafka, shop, { [one]: 15, [other]: 25 })
  return { shop, instances: [first, second], newcomer }
}

/** An instance that has sold for 10, got stuck in the middle of selling for 20 more, and was expelled from its group. */
async function inTheMiddle(
  slow: Learner, kafka: CheckContext['kafka'], shop: Shop, stuck: () => Held,
): Promise<Held> {
  await startAnalytics(slow, shop)
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 10)])
  await untilTotals(kafka, shop, { lamp: 10 })
  await commitUnderWay(kafka, shop, 1)
  const written = await kafka.ends(shop.outputTopic)
  const held = stuck()
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 20)])
  await untilHeld(held, kafka, shop, written)
  await kafka.expel(shop.groupId)
  return held
}

/**
 * The requests `late` of an instance that has lost its session arrive while another one takes over: before its first request
 * that is a `moment`, when it is `ready`.
 */
async function commitsLate(
  { learner, another, kafka }: World, late: readonly ApiName[],
  moment: (request: KafkaRequest, shop: Shop, heir: Learner) => boolean, ready: (heir: Learner, shop: Shop) => Promise<void>,
): Promise<void> {
  const shop = await openShop(kafka)
  const slow = await another()
  const held = await inTheMiddle(slow, kafka, shop, () => hold(slow, late))
  // It never hears what became of its commit: it would ask to join again, and all partitions would be given out anew.
  slow.kafkaWire.replyGate = ({ api }) => (FINAL_COMMITS.includes(api) ? new Promise(() => {}) : 'pass')
  const lands = async (): Promise<void> => {
    const fenced = learner.kafkaWire.requests('InitProducerId').some((request) => isFence(request) && request.answered)
    // Kafka accepts a transaction's commit until it is fenced off, and not that of a member it has expelled.
    const accepted = !fenced && held.requests.some(({ api }) => api === 'EndTxn' || api === 'AddPartitionsToTxn')
    const offset = async (): Promise<number | undefined> => (await kafka.committed(shop.groupId, shop.inputTopic))[0]
    const former = await offset()
    await held.release()
    // It answers before the offsets can be read.
    await ifItComes(async () => (await offset()) !== former, accepted ? 4000 : 500)
  }
  let landed: Promise<void> | undefined
  const release = (): Promise<void> => (landed ??= lands())
  before(learner, (request) => moment(request, shop, learner), async () => {
    await ready(learner, shop)
    await release()
  })
  const heir = await makeAnalytics(learner, shop)
  learner.host.deadline(16_000)
  await heir.start()
  // Who never sends what the moment waits for has the late commit now, with its own output.
  await ifItComes(() => slow.kafkaWire.gate === null || learner.kafkaWire.requests('Produce').length > 0, 4000)
  await release()
  await slow.kill()
  await untilTotals(kafka, shop, { lamp: 30 })
  await kafka.produce(shop.inputTopic, [sale('lamp', 1, 5)])
  await untilTotals(kafka, shop, { lamp: 35 })
  await knows(heir, { lamp: 35 })
  await heir.stop()
  await endsWith(kafka, shop, { lamp: 35 })
}

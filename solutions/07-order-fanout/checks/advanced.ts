/**
 * At least once, whatever happens: an offset moves only when every call for its order is over, and an effect that comes
 * again is recognised by its id. A stuck order holds up nobody but its own partition, and Kafka's failures are told.
 */
import { atMost, between, both, check, holds, Inconclusive, quiet, rejects, same, type Learner } from '#checks'
import {
  comes, commitUnderWay, controlRun, done, eventually, makeProducer, makeService, newGroups, numbers, openProducer,
  order, record, SERVICES, standingGroups, startService, startShop, warmTopic, type Call, type Service,
} from './fanout.ts'

check('offset-waits-for-every-call', async ({ learner, kafka, did }) => {
  did(both('held the calls for the first of two orders; of its three lines, the first one succeeded, the second one was held, and the third one failed, with maxAttempts 1; later called stop() during the first of four more orders',
    'giữ lại các lời gọi của đơn đầu tiên trong hai đơn; trong ba dòng của nó, dòng đầu thành công, dòng thứ hai bị giữ lại, dòng thứ ba bị lỗi, với maxAttempts là 1; sau đó gọi stop() khi đang xử lý đơn đầu tiên trong bốn đơn khác'))
  const topic = await kafka.topic()
  const gate = Promise.withResolvers<void>()
  const laterGate = Promise.withResolvers<void>()
  let shutSince: number | undefined
  let hasFailed = false
  const shop = await startShop(learner, kafka, { topic, dlqTopic: await kafka.topic(), maxAttempts: 1 }, async ({ service, order: n, args }) => {
    shutSince ??= performance.now()
    if (args[0] === 'p-1-c' && !hasFailed) {
      hasFailed = true
      throw new Error('not this one')
    }
    const isOtherLine = service === 'inventory' && args[0] !== 'p-1-b'
    if (n === 1 && !isOtherLine) await gate.promise
    if (n === 3) await laterGate.promise
  }, await standingGroups(kafka, topic))
  const items = ['p-1-a', 'p-1-b', 'p-1-c'].map((product_id) => ({ product_id, quantity: 1 }))
  await kafka.produce(topic, [record(1, 0, { items }), record(2)])
  await shop.reaches(1)
  await comes(learner, () => shop.calls.some(({ args }) => args[0] === 'p-1-b'), both('the call for the second line', 'lời gọi cho dòng thứ hai'))
  await controlRun(learner, kafka)
  for (const service of SERVICES) same(await done(kafka, shop.groups[service], topic), 0,
    both(`the committed offset of ${service} while a call still runs`, `offset đã commit của ${service} khi còn lời gọi đang chạy`))
  const shutMs = performance.now() - shutSince!
  gate.resolve()
  await shop.reaches(2)
  for (const service of SERVICES) await commitUnderWay(kafka, shop.groups[service], topic, 2)
  // Written at once they come as one batch.
  await kafka.produce(topic, [3, 4, 5, 6].map((n) => record(n)))
  await shop.reaches(3)
  await Promise.all([shop.stop(), quiet(learner).then(() => { laterGate.resolve() })])
  const offsets = await Promise.all(SERVICES.map((service) => done(kafka, shop.groups[service], topic)))
  // Nobody can send a heartbeat for code that waits in a single call, and a commit of an expelled member is turned down.
  if (offsets.includes(0) && shutMs > SHORT_MS && commits(learner) > 0) {
    throw new Inconclusive(both('The machine was too slow to keep a session alive.', 'Máy quá chậm nên không giữ được phiên.'))
  }
  for (const [i, service] of SERVICES.entries()) holds(offsets[i]! > 0,
    both(`the committed offset of ${service} once its calls are over`, `offset đã commit của ${service} khi các lời gọi đã xong`), '> 0', '0')
  for (const [i, service] of SERVICES.entries()) {
    const handled = shop.handled(service).length
    atMost(offsets[i]!, handled, both(`the committed offset of ${service} after stop() in the middle of a batch, with ${handled} orders handled in all`,
      `offset đã commit của ${service} sau khi gọi stop() giữa lô, khi đã xử lý tổng cộng ${handled} đơn hàng`))
  }
})

check('effect-ids-differ', async ({ learner, kafka, did }) => {
  did(both('looked at the ids of the effects of four orders, with lines that are alike, and two order ids that differ in a capital letter only',
    'xem effectId của bốn đơn hàng có những dòng giống nhau, và có order_id chỉ khác nhau ở chữ hoa'))
  const topic = await kafka.topic(2)
  const shop = await startShop(learner, kafka, { topic })
  await kafka.produce(topic, alikeOrders())
  for (const [service, effects] of EFFECTS) {
    const ids = (): unknown[] => shop.calls.filter((call) => call.service === service).map(effectId)
    await comes(learner, () => ids().length >= effects, both(`${effects} calls of ${service}`, `${effects} lời gọi của ${service}`))
    holds(ids().every((id) => typeof id === 'string' && id !== ''), both(`effect ids of ${service}`, `effectId của ${service}`),
      both('texts that are not empty', 'các chuỗi không rỗng'), ids().map(String).join(', ').slice(0, 200))
    same(new Set(ids()).size, effects,
      both(`different effect ids of ${service} for ${effects} effects`, `số effectId khác nhau của ${service} cho ${effects} tác động`))
  }
  await shop.stop()
})

check('effect-ids-survive-a-retry', async ({ learner, kafka, did }) => {
  did(both('let calls for an order fail, those for the first of its lines never, and compared the ids of their effects',
    'cho các lời gọi của một đơn hàng lỗi, trừ dòng đầu tiên, rồi so sánh effectId'))
  const topic = await kafka.topic()
  const failures = [['p-1-b', 1], ['p-1-c', 1], ['u-1', 2]] as const
  const left = new Map<unknown, number>(failures)
  const shop = await startShop(learner, kafka, { topic, dlqTopic: await kafka.topic(), retryDelayMs: 5 }, async ({ args: [whose] }) => {
    const times = left.get(whose) ?? 0
    left.set(whose, times - 1)
    if (times > 0) throw new Error('not now')
  })
  // The id of a line must not hang on which other lines are still to do.
  await kafka.produce(topic, [record(1, 0, { items: ['a', 'b', 'c'].map((line) => ({ product_id: `p-1-${line}`, quantity: 1 })) })])
  for (const [whose, times] of failures) {
    const calls = (): Call[] => shop.calls.filter(({ args }) => args[0] === whose)
    await comes(learner, () => calls().length > times, both(`${times + 1} attempts for ${whose}`, `${times + 1} lần thử cho ${whose}`))
    same(new Set(calls().map(effectId)).size, 1, both(`different effect ids of one effect, for ${whose}`, `số effectId khác nhau của một tác động, cho ${whose}`))
  }
  await shop.stop()
})

check('effect-ids-survive-a-restart', async ({ learner, another, kafka, did }) => {
  did(both('handled orders, put the groups back to the beginning, and let another process handle them again',
    'xử lý các đơn hàng, đưa các group về đầu topic rồi cho tiến trình khác xử lý lại'))
  const later = await another()
  const topic = await kafka.topic(2)
  const groups = newGroups(kafka)
  const handle = async (process: Learner, prepare?: () => Promise<void>): Promise<string[]> => {
    const shop = await startShop(process, kafka, { topic }, undefined, groups)
    await prepare?.()
    const found = (service: Service): Call[] => shop.calls.filter((call) => call.service === service)
    for (const [service, effects] of EFFECTS) await comes(process, () => found(service).length >= effects,
      both(`${effects} calls of ${service}`, `${effects} lời gọi của ${service}`))
    await shop.stop()
    const effects = EFFECTS.flatMap(([service]) => found(service))
    return [...new Set(effects.map((call) => `${call.args.slice(0, 2).join(' × ')}: ${String(effectId(call))}`))].toSorted()
  }
  const before = await handle(learner, () => kafka.produce(topic, alikeOrders()))
  for (const service of SERVICES) await kafka.rewind(groups[service], topic)
  const after = await handle(later)
  same(after.filter((one) => !before.includes(one)), before.filter((one) => !after.includes(one)),
    both('effects whose ids differ in the second process', 'các tác động có effectId khác ở tiến trình thứ hai'))
})

check('stuck-order-delays-no-other-partition', async ({ learner, kafka, did }) => {
  did(both('wrote four orders to each of two partitions, started the services, and let the first call of each service never end',
    'ghi bốn đơn hàng vào mỗi partition trong hai partition, khởi động các dịch vụ, và không cho lời gọi đầu tiên của mỗi dịch vụ kết thúc'))
  const topic = await kafka.topic(2)
  await kafka.produce(topic, numbers(8).map((n) => record(n, n % 2)))
  const gate = Promise.withResolvers<void>()
  // Whichever partition comes first: the order of partitions in a fetch varies.
  const stuck: Partial<Record<Service, number>> = {}
  const shop = await startShop(learner, kafka, { topic }, async ({ service, order: n }) => {
    if (n === (stuck[service] ??= n)) await gate.promise
  })
  for (const service of SERVICES) {
    await comes(learner, () => stuck[service] !== undefined, both(`${service} to be called`, `${service} được gọi`))
    const others = numbers(8).filter((n) => n % 2 !== stuck[service]! % 2)
    await comes(learner, () => others.every((n) => shop.handled(service).includes(n)),
      both(`${service} to handle the orders of the other partition`, `${service} xử lý các đơn hàng của partition còn lại`))
  }
  gate.resolve()
  await shop.stop()
})

check('commits-are-rare', async ({ learner, kafka, did }) => {
  did(both('wrote 200 orders at once to running services, and counted the commits', 'ghi một lượt 200 đơn hàng cho các dịch vụ đang chạy rồi đếm số lần commit'))
  const topic = await kafka.topic()
  const shop = await startShop(learner, kafka, { topic })
  await kafka.produce(topic, numbers(200).map((n) => record(n)))
  for (const service of SERVICES) {
    await eventually(() => shop.handled(service).length >= 200, both(`200 orders to be handled by ${service}`, `200 đơn hàng được ${service} xử lý`), 15_000)
    await commitUnderWay(kafka, shop.groups[service], topic, 200)
  }
  await shop.stop()
  // Whether a stop commits the very last one is another promise.
  for (const service of SERVICES) between(await done(kafka, shop.groups[service], topic), 160, 200,
    both(`the committed offset of ${service} after 200 orders`, `offset đã commit của ${service} sau 200 đơn hàng`))
  atMost(commits(learner), 120, both('commits of three services for 200 orders', 'số lần commit của ba dịch vụ cho 200 đơn hàng'))
})

check('unreachable-kafka-rejects', async ({ learner, kafka, did }) => {
  did(both('made an order and started a service, then tried both again with Kafka out of reach', 'tạo đơn hàng và khởi động một dịch vụ, rồi thử lại cả hai khi không kết nối được Kafka'))
  const topic = await warmTopic(kafka)
  const offline = await learner.withKafka({ retries: 1 })
  offline.host.deadline(20_000)
  const groupId = kafka.name('g')
  const producer = await openProducer(offline, topic)
  await producer.createOrder(order(1))
  const consumer = await startService(offline, 'email', { topic, groupId }, async () => {})
  offline.host.deadline(20_000)
  await Promise.all([producer.disconnect(), consumer.stop()])
  offline.kafkaWire.down()
  const other = await makeProducer(offline, topic)
  await rejects(async () => {
    await other.connect()
    await other.createOrder(order(2))
  }, both('connecting a producer and making an order while Kafka is out of reach', 'kết nối producer và tạo đơn hàng khi không kết nối được Kafka'))
  for (const service of SERVICES) {
    const unlucky = await makeService(offline, service, { topic, groupId: kafka.name('g') }, async () => {})
    offline.host.deadline(20_000)
    await rejects(() => unlucky.start(), both(`start() of ${service} while Kafka is out of reach`, `start() của ${service} khi không kết nối được Kafka`))
  }
})

/** Well below the session of the checks' client (1500 ms), in milliseconds. */
const SHORT_MS = 1000

const commits = ({ kafkaWire }: Learner): number => kafkaWire.requests('OffsetCommit').length + kafkaWire.requests('TxnOffsetCommit').length

/** How many effects four such orders have. */
const EFFECTS = [['inventory', 24], ['loyalty', 4]] as const

/**
 * Orders of two partitions, at the same offsets, of one user in part, with lines that are alike; `o-1` and its line 11
 * read as `o-11` and its line 1, and `O-3` is not `o-3`.
 */
function alikeOrders(): ReturnType<typeof record>[] {
  const items = [['p-1', 1], ['p-1', 1], ['p-1', 2], ['p-2', 1]].map(([product_id, quantity]) => ({ product_id: String(product_id), quantity: Number(quantity) }))
  return [
    record(1, 0, { items: [...items, ...items, ...items], user_id: 'ann' }), record(11, 0, { items, user_id: 'ann' }),
    record(3, 1, { items }), record(3, 1, { items, order_id: 'O-3' }),
  ]
}

/** `decrement` and `addPoints` both get it as their third argument. */
const effectId = ({ args }: Call): unknown => args[2]

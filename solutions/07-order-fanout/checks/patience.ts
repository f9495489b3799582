/**
 * Waiting: the pauses between attempts grow, and however long they are, the member stays in its group. While a dead
 * letter is not written its order is not done with.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { atMost, both, check, holds, Inconclusive, quiet, same, settled, type KafkaWorld, type Learner, type Text } from '#checks'
import {
  comes, controlRun, deadLetters, done, eventually, makeService, record, SERVICES, standingGroups, startService,
  startShop, warmTopic, type Call, type Service,
} from './fanout.ts'

/** Longer than the session of the checks' client (1500 ms), in milliseconds. */
const LONG_DELAY_MS = 2600

/** Between the first failures of two orders, in milliseconds: no pause of the one ends when one of the other does. */
const LATER_MS = 200

/** A process or a broker that takes longer to answer, in milliseconds, may miss a session without anybody's fault. */
const SLOW_MS = 500

check('back-off-keeps-the-member', async ({ learner, kafka, did }) => {
  did(both(`let the first call for an order fail, with ${LONG_DELAY_MS} ms before the next attempt and a session of 1500 ms; then started a second loyalty service in its group in another back-off, and called stop() in a third`,
    `cho lời gọi đầu tiên của một đơn hàng lỗi, lần thử sau cách ${LONG_DELAY_MS} ms, phiên (session) dài 1500 ms; rồi khởi động dịch vụ loyalty thứ hai trong cùng group ở một khoảng nghỉ khác, và gọi stop() ở khoảng nghỉ thứ ba`))
  const topic = await kafka.topic()
  const wire = learner.kafkaWire
  const beats = (): number => wire.requests('Heartbeat').length
  const failed = new Set<string>()
  const succeeded: Call[] = []
  // Heartbeats between the last first failure and the first second attempt: who sends none is expelled on any machine.
  let atFirst = 0
  let inBackOff: number | undefined
  const dlqTopic = await kafka.topic()
  const options = { topic, dlqTopic, retryDelayMs: LONG_DELAY_MS, maxAttempts: 2 }
  const onCall = async (call: Call): Promise<void> => {
    const key = `${call.service} ${call.order}`
    if (fails(call) && !failed.has(key)) {
      failed.add(key)
      if (call.order === 1) atFirst = beats()
      throw new Error('not now')
    }
    inBackOff ??= beats() - atFirst
    succeeded.push(call)
  }
  const has = (service: Service, n: number): boolean => succeeded.some((call) => call.service === service && call.order === n)
  const shop = await startShop(learner, kafka, options, onCall)
  const joins = wire.requests('JoinGroup').length
  await kafka.produce(topic, [record(1), record(2)])
  let slowest = 0
  let asked = performance.now()
  await eventually(async () => {
    const now = performance.now()
    if (now - asked > 100) {
      await learner.host.idle()
      await kafka.committed(shop.groups.email, topic)
      slowest = Math.max(slowest, performance.now() - now, now - asked - 100)
      asked = performance.now()
    }
    return SERVICES.every((service) => [1, 2].every((n) => has(service, n)))
  }, both('both orders to be handled', 'cả hai đơn hàng được xử lý'), 10_000)
  const expelled = wire.requests('JoinGroup').length - joins
  if (expelled > 0 && slowest > SLOW_MS && (inBackOff ?? 0) >= SERVICES.length) {
    throw new Inconclusive(both('The machine was too slow to keep a session alive.', 'Máy quá chậm nên không giữ được phiên.'))
  }
  for (const service of SERVICES) same(succeeded.filter((call) => call.service === service && call.order === 1).length, 1,
    both(`times the call of ${service} succeeded`, `số lần lời gọi của ${service} thành công`))
  same(expelled, 0, both('JoinGroup requests since the start', 'số request JoinGroup kể từ khi khởi động'))
  await kafka.produce(topic, [record(3)])
  await shop.reaches(3)
  // Its group rebalances in the back-off; whether the call then comes at once, or at the end of the back-off, is not asked.
  const second = await makeService(learner, 'loyalty', { ...options, groupId: shop.groups.loyalty }, onCall)
  const joining = second.start()
  joining.catch(() => {})
  await eventually(async () => has('loyalty', 3) || (await kafka.ends(dlqTopic))[0]! > 0,
    both('the third order to be handled', 'đơn thứ ba được xử lý'))
  same(await kafka.ends(dlqTopic), [0], both('records in the DLQ after one attempt and a rebalance in the back-off',
    'số bản ghi trong DLQ sau một lần thử và một lần rebalance trong khoảng nghỉ'))
  await joining
  await kafka.produce(topic, [record(4)])
  await eventually(() => SERVICES.every((service) => failed.has(`${service} 4`)), both('the fourth order to fail', 'đơn thứ tư bị lỗi'))
  await learner.host.idle()
  await Promise.all([shop.stop(), second.stop()])
  // Who waits for the end of a back-off before it stops has handled the fourth order as well.
  for (const service of SERVICES.filter((one) => !has(one, 4))) {
    atMost(await done(kafka, shop.groups[service], topic), 3, both(`the committed offset of ${service} after stop() in the back-off of the fourth order`,
      `offset đã commit của ${service} sau khi gọi stop() trong khoảng nghỉ của đơn thứ tư`))
  }
  same(await kafka.ends(dlqTopic), [0], both('records in the DLQ after stop() in a back-off', 'số bản ghi trong DLQ sau khi gọi stop() trong khoảng nghỉ'))
}, { waits: true })

check('delays-grow', async ({ learner, kafka, did }) => {
  did(both('let every attempt fail, four with retryDelayMs 300 and three without it, and measured the pauses between them',
    'cho mọi lần thử đều lỗi, bốn lần với retryDelayMs 300 và ba lần khi không truyền, rồi đo khoảng nghỉ giữa các lần'))
  const [set, unset] = await Promise.all([{ maxAttempts: 4, retryDelayMs: 300 }, {}].map(async (options) => {
    // A client each: on one wire it would not be clear whose consumer has begun to fetch.
    const client = await learner.withKafka()
    const topic = await kafka.topic(2)
    const failures = new Map<string, number[]>()
    const shop = await startShop(client, kafka, { topic, dlqTopic: await kafka.topic(), ...options }, async (call) => {
      const key = `${call.service} ${call.order}`
      // The second order fails later: what holds the machine up once does not lengthen the same pause of both.
      if (call.order === 2 && !failures.has(key)) await pause(LATER_MS)
      failures.set(key, [...(failures.get(key) ?? []), performance.now()])
      throw new Error('never')
    })
    await kafka.produce(topic, [record(1, 0), record(2, 1)])
    const attempts = options.maxAttempts ?? 3
    await eventually(() => failures.size === 2 * SERVICES.length && [...failures.values()].every((times) => times.length >= attempts),
      both('all attempts', 'tất cả các lần thử'), 10_000)
    await shop.stop()
    return failures
  }))
  for (const service of SERVICES) {
    const [first, , last] = shortestPauses(service, set!)
    atLeast(first!, 240, both(`the first pause of ${service} with retryDelayMs 300`, `khoảng nghỉ đầu tiên của ${service} khi retryDelayMs là 300`))
    atLeast(last!, 450, both(`the third pause of ${service} with retryDelayMs 300, which has to be longer`,
      `khoảng nghỉ thứ ba của ${service} khi retryDelayMs là 300, vốn phải dài hơn`))
    atLeast(shortestPauses(service, unset!)[0]!, 80, both(`the first pause of ${service} without retryDelayMs`, `khoảng nghỉ đầu tiên của ${service} khi không truyền retryDelayMs`))
  }
}, { waits: true })

check('offset-waits-for-the-dlq', async ({ learner, kafka, did }) => {
  did(both('held back the requests that write a failed order and a malformed record to the DLQ', 'giữ lại các request ghi đơn hàng bị lỗi và bản ghi hỏng vào DLQ'))
  const topic = await kafka.topic(2)
  const dlqTopic = await kafka.topic()
  const client = await learner.withKafka()
  const door = Promise.withResolvers<'pass'>()
  client.kafkaWire.gate = ({ api }) => (api === 'Produce' ? door.promise : 'pass')
  const handled = new Set<number>()
  const { inventory: groupId } = await standingGroups(kafka, topic)
  const consumer = await startService(client, 'inventory', { topic, dlqTopic, groupId, maxAttempts: 1 }, async (call) => {
    if (call.order === 1) throw new Error('never')
    handled.add(call.order)
  })
  await kafka.produce(topic, [record(1, 0), record(2, 0), { value: 'not json', partition: 1 }, record(3, 1)])
  await comes(client, () => client.kafkaWire.requests('Produce').length > 0 || handled.size > 0,
    both('the request that writes the dead letter', 'request ghi bản ghi vào DLQ'))
  await controlRun(learner, kafka)
  same(await done(kafka, groupId, topic), 0, both('the committed offset while no dead letter is written', 'offset đã commit khi chưa bản ghi nào vào DLQ'))
  same([...handled], [], both('orders handled behind the dead letters', 'các đơn hàng phía sau các bản ghi phải vào DLQ mà đã được xử lý'))
  door.resolve('pass')
  await comes(client, () => handled.has(2) && handled.has(3), both('the orders behind the dead letters', 'các đơn hàng phía sau các bản ghi đã vào DLQ'))
  await deadLetters(kafka, dlqTopic, 2)
  await consumer.stop()
})

check('unwritable-dlq-holds-the-offset', async ({ learner, kafka, did }) => {
  did(both('cut every request that writes a failed order or a malformed record to the DLQ; later let them through and started the service again',
    'cắt mọi request ghi đơn hàng bị lỗi hoặc bản ghi hỏng vào DLQ; sau đó cho qua và khởi động lại dịch vụ'))
  await Promise.all([
    holdsOnTo(record(1), both('the failed order', 'đơn hàng bị lỗi'), learner, kafka),
    holdsOnTo({ key: 'k', value: 'not json', partition: 0 }, both('the malformed record', 'bản ghi hỏng'), learner, kafka),
  ])
})

/** While the DLQ cannot be written nothing behind `first`, which belongs there, is handled; once it can be, `first` is there. */
async function holdsOnTo(first: ReturnType<typeof record>, what: Text, learner: Learner, kafka: KafkaWorld): Promise<void> {
  const topic = await warmTopic(kafka)
  const dlqTopic = await warmTopic(kafka)
  const client = await learner.withKafka({ retries: 2 })
  let isShut = true
  client.kafkaWire.gate = ({ api }) => (api === 'Produce' && isShut ? 'cut' : 'pass')
  const { inventory: groupId } = await standingGroups(kafka, topic)
  const options = { topic, dlqTopic, groupId, maxAttempts: 2, retryDelayMs: 5 }
  const calls: number[] = []
  const onCall = async (call: Call): Promise<void> => {
    calls.push(call.order)
    if (call.order === 1) throw new Error('never')
  }
  const consumer = await startService(client, 'inventory', options, onCall)
  client.host.deadline(20_000)
  await kafka.produce(topic, [first, record(2)])
  // Until it is clear what becomes of it: given up, tried again, held on to, or the consumer has ended.
  const times = (n: number): number => calls.filter((found) => found === n).length
  const cuts = (): number => client.kafkaWire.requests('Produce').length
  const shows = (): boolean => times(2) > 0 || times(1) > options.maxAttempts || cuts() >= 12 || client.kafkaWire.open() === 0
  // Whose pauses between two tries at the DLQ grow has tried a few times only: that is holding on to it as well.
  const enough = performance.now() + 12_000
  await eventually(async () => shows() || (await done(kafka, groupId, topic)) > 1 || (cuts() >= 3 && performance.now() > enough),
    both(`a sign of what became of ${what.en}`, `dấu hiệu cho biết ${what.vi} ra sao`), 15_000)
  await quiet(client)
  holds(times(2) === 0, both(`the order behind ${what.en}, which could not be written to the DLQ`, `đơn hàng phía sau ${what.vi}, thứ chưa ghi được vào DLQ`),
    both('still waiting', 'vẫn đang chờ'), both('already handled', 'đã được xử lý'))
  atMost(await done(kafka, options.groupId, topic), 1, both(`the committed offset, with one order before ${what.en}`, `offset đã commit, khi phía trước ${what.vi} có một đơn hàng`))
  isShut = false
  await settled(consumer.stop())
  const again = await startService(learner, 'inventory', options, onCall)
  await comes(learner, () => times(2) > 0, both(`the order behind ${what.en}, once the DLQ can be written`, `đơn hàng phía sau ${what.vi}, khi đã ghi được DLQ`))
  const dead = await deadLetters(kafka, dlqTopic, 2)
  holds(dead.some(({ value }) => String(value) === first.value), both(`${what.en} in the DLQ`, `${what.vi} trong DLQ`),
    both('there', 'có'), both('missing', 'không có'))
  await again.stop()
}

/** Whether a call fails the first time: the third order only fails for the service that gets a second member. */
const fails = ({ service, order: n }: Call): boolean => n === 1 || n === 4 || (n === 3 && service === 'loyalty')

/** The shortest of each pause over the orders of a service: load makes pauses longer, never shorter. */
function shortestPauses(service: Service, failures: ReadonlyMap<string, readonly number[]>): number[] {
  const times = [1, 2].map((n) => failures.get(`${service} ${n}`)!)
  return times[0]!.slice(1).map((_, i) => Math.min(...times.map((found) => found[i + 1]! - found[i]!)))
}

function atLeast(ms: number, least: number, what: { en: string; vi: string }): void {
  holds(ms >= least, what, both(`at least ${least} ms`, `ít nhất ${least} ms`), `${Math.round(ms)} ms`)
}

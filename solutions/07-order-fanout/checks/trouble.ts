/**
 * A failing service call is tried again in place, `maxAttempts` times in all; then the order goes to the DLQ as it came,
 * with headers that say why and where from, and the next one is handled. A record that is no order goes there at once.
 */
import { both, check, holds, same, shown, type CheckContext } from '#checks'
import type { KafkaMessage, Message } from 'kafkajs'
import {
  comes, commitUnderWay, deadLetters, done, numbers, order, record, SERVICES, startService, startShop, without, type Call,
  type Consumer, type Order, type Service,
} from './fanout.ts'

type World = Pick<CheckContext, 'learner' | 'kafka'>

/** Too long for who keeps only the beginning. */
const LONG_MESSAGE = `out of stock, try ${'next '.repeat(60)}Monday`

check('failing-call-is-tried-again', async ({ learner, kafka, did }) => {
  did(both('let the calls for an order fail twice, those for the first of its two lines never', 'cho các lời gọi của một đơn hàng lỗi hai lần, trừ dòng đầu tiên trong hai dòng của nó'))
  const topic = await kafka.topic()
  const dlqTopic = await kafka.topic()
  const left: Record<Service, number> = { email: 2, inventory: 2, loyalty: 2 }
  const succeeded = new Set<Service>()
  const shop = await startShop(learner, kafka, { topic, dlqTopic, retryDelayMs: 5 }, async ({ service, order: n, args }) => {
    if (n !== 1 || args[0] === 'p-1-a') return
    if (left[service]-- > 0) throw new Error('not now')
    succeeded.add(service)
  })
  const items = ['p-1-a', 'p-1-b'].map((product_id) => ({ product_id, quantity: 1 }))
  await kafka.produce(topic, [record(1, 0, { items }), record(2)])
  for (const service of SERVICES) await comes(learner, () => succeeded.has(service),
    both(`the third attempt of ${service}, which succeeds`, `lần thử thứ ba của ${service}, lần thành công`))
  await shop.reaches(2)
  await shop.stop()
  same(await kafka.ends(dlqTopic), [0], both('records in the DLQ for an order that was handled', 'số bản ghi trong DLQ cho đơn hàng đã được xử lý'))
})

check('attempts-are-limited', async ({ learner, kafka, did }) => {
  did(both('let every call for the first order of each of two partitions fail, without maxAttempts',
    'cho mọi lời gọi của đơn hàng đầu tiên ở mỗi partition trong hai partition đều lỗi, không truyền maxAttempts'))
  const topic = await kafka.topic(2)
  const shop = await startShop(learner, kafka, { topic, dlqTopic: await kafka.topic(), retryDelayMs: 5 }, async (call) => {
    if (call.order <= 2) throw new Error('never')
  })
  await kafka.produce(topic, numbers(4).map((n) => record(n, n % 2)))
  for (const n of [1, 2]) await shop.reaches(n, 3)
  for (const n of [3, 4]) await shop.reaches(n)
  for (const service of SERVICES) same([1, 2].map((n) => shop.times(service, n)), [3, 3],
    both(`attempts of ${service} for each of the two orders`, `số lần thử của ${service} cho từng đơn trong hai đơn hàng`))
  await shop.stop()
})

check('maxattempts-is-respected', async ({ learner, kafka, did }) => {
  const limits = { email: 1, inventory: 2, loyalty: 5 }
  did(both('let every call for an order fail, with maxAttempts of 1, 2 and 5', 'cho mọi lời gọi của một đơn hàng đều lỗi, với maxAttempts là 1, 2 và 5'))
  const topic = await kafka.topic()
  const dlqTopic = await kafka.topic()
  const calls: Call[] = []
  const consumers: Consumer[] = []
  for (const service of SERVICES) {
    const options = { topic, dlqTopic, groupId: kafka.name('g'), retryDelayMs: 5, maxAttempts: limits[service] }
    consumers.push(await startService(learner, service, options, async (call) => {
      calls.push(call)
      if (call.order === 1) throw new Error('never')
    }))
  }
  await kafka.produce(topic, [record(1), record(2)])
  for (const service of SERVICES) {
    const times = (n: number): number => calls.filter((call) => call.service === service && call.order === n).length
    await comes(learner, () => times(1) >= limits[service], both(`${limits[service]} ${limits[service] === 1 ? 'attempt' : 'attempts'} of ${service}`, `${limits[service]} lần thử của ${service}`))
    await comes(learner, () => times(2) > 0, both(`${service} to go on to the next order`, `${service} chuyển sang đơn hàng tiếp theo`))
    same(times(1), limits[service],
      both(`attempts of ${service} with maxAttempts ${limits[service]}`, `số lần thử của ${service} khi maxAttempts là ${limits[service]}`))
  }
  await Promise.all(consumers.map((consumer) => consumer.stop()))
})

check('any-error-is-retried', async ({ learner, kafka, did }) => {
  did(both('let an order fail with a TypeError, a RangeError, a SyntaxError and a ReferenceError',
    'cho một đơn hàng lỗi với TypeError, RangeError, SyntaxError rồi ReferenceError'))
  const topic = await kafka.topic()
  const errors = (): Error[] => [new TypeError('x is undefined'), new RangeError('too far'), new SyntaxError('what?'), new ReferenceError('no x')]
  const left: Record<Service, Error[]> = { email: errors(), inventory: errors(), loyalty: errors() }
  const shop = await startShop(learner, kafka, { topic, dlqTopic: await kafka.topic(), retryDelayMs: 5, maxAttempts: 5 }, async (call) => {
    const error = call.order === 1 ? left[call.service].shift() : undefined
    if (error) throw error
  })
  await kafka.produce(topic, [record(1), record(2)])
  await shop.reaches(1, 5)
  await shop.reaches(2)
  for (const service of SERVICES) same(shop.times(service, 1), 5,
    both(`attempts of ${service}, of which the fifth succeeds`, `số lần thử của ${service}, lần thứ năm thành công`))
  await shop.stop()
})

check('dead-letters-keep-their-bytes', async ({ learner, kafka, did }) => {
  did(both('let orders fail and wrote bytes that are no text, and compared keys and values in the DLQ',
    'cho đơn hàng bị lỗi và ghi các byte không phải văn bản, rồi so sánh key và value trong DLQ'))
  const topic = await kafka.topic()
  const dlqTopic = await kafka.topic()
  const records: Message[] = [
    { key: Buffer.from([0xff, 0x00, 0xfe]), value: Buffer.from(JSON.stringify(order(1), null, 3)) },
    { key: null, value: Buffer.from(JSON.stringify(order(2)).replace('@', '\\u0040')) },
    { key: Buffer.from('u-3'), value: Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x7b]) },
  ]
  const shop = await startShop(learner, kafka, { topic, dlqTopic, retryDelayMs: 5, maxAttempts: 2 }, async (call) => {
    if (call.order !== 4) throw new Error('never')
  })
  await kafka.produce(topic, [...records.map((one) => ({ ...one, partition: 0 })), record(4)])
  await shop.reaches(4)
  const dead = await deadLetters(kafka, dlqTopic, records.length * SERVICES.length)
  sameBytes(dead, records)
  await shop.stop()
})

check('dead-letters-say-why-and-where-from', async ({ learner, kafka, did }) => {
  did(both('let order o-2, at offset 1 of partition 1, fail with a long message and o-4, at offset 3, with undefined, wrote a malformed record between them, and read the headers in the DLQ',
    'cho đơn o-2 (offset 1 của partition 1) lỗi với thông điệp dài và đơn o-4 (offset 3) lỗi với undefined, ghi một bản ghi hỏng ở giữa, rồi đọc các header trong DLQ'))
  const topic = await kafka.topic(2)
  const dlqTopic = await kafka.topic()
  const shop = await startShop(learner, kafka, { topic, dlqTopic, retryDelayMs: 5, maxAttempts: 2 }, async (call) => {
    if (call.order === 2) throw new Error(LONG_MESSAGE)
    if (call.order === 4) throw undefined
  })
  await kafka.produce(topic, [record(1, 1), record(2, 1), { value: 'not json', partition: 1 }, record(4, 1), record(3, 1)])
  await shop.reaches(3)
  for (const dead of await deadLetters(kafka, dlqTopic, 3 * SERVICES.length)) {
    const isMalformed = String(dead.value) === 'not json'
    const hasNoMessage = isMalformed || String(dead.value) === record(4).value
    const { 'x-error': error, 'x-attempts': attempts, ...place } = headersOf(dead)
    same({ 'x-topic': place['x-topic'], 'x-partition': place['x-partition'], 'x-offset': place['x-offset'] },
      { 'x-topic': topic, 'x-partition': '1', 'x-offset': isMalformed ? '2' : hasNoMessage ? '3' : '1' },
      both('where the dead letter says it came from', 'nơi bản ghi trong DLQ nói nó đến từ đâu'))
    holds(typeof error === 'string' && (isMalformed ? error !== '' : hasNoMessage || error.includes(LONG_MESSAGE)), both('the header x-error', 'header x-error'),
      isMalformed ? both('a text that is not empty', 'một chuỗi không rỗng') : hasNoMessage ? both('a text', 'một chuỗi') : both('the whole message of the error', 'toàn bộ thông điệp của lỗi'),
      typeof error === 'string' ? both(`${shown(error)} (${error.length} letters)`, `${shown(error)} (${error.length} ký tự)`) : shown(error))
    if (!isMalformed) same(attempts, '2', both('the header x-attempts', 'header x-attempts'))
  }
  await shop.stop()
})

check('offset-moves-past-a-dead-letter', async ({ learner, kafka, did }) => {
  did(both('ended one partition with an order that fails and another with a malformed record',
    'kết thúc một partition bằng đơn hàng bị lỗi và partition kia bằng bản ghi hỏng'))
  const topic = await kafka.topic(2)
  const dlqTopic = await kafka.topic()
  const shop = await startShop(learner, kafka, { topic, dlqTopic, retryDelayMs: 5, maxAttempts: 1 }, async (call) => {
    if (call.order === 2) throw new Error('never')
  })
  await kafka.produce(topic, [record(1, 0), record(2, 0), { value: 'not json', partition: 1 }])
  await deadLetters(kafka, dlqTopic, 2 * SERVICES.length)
  for (const service of SERVICES) await commitUnderWay(kafka, shop.groups[service], topic, 3)
  await shop.stop()
  for (const service of SERVICES) same(await done(kafka, shop.groups[service], topic), 3,
    both(`the sum of the committed offsets of ${service} after three records`, `tổng offset đã commit của ${service} sau ba bản ghi`))
})

check('broken-json-goes-to-the-dlq', async (world) => {
  world.did(both('wrote records that are not JSON between two orders', 'ghi các bản ghi không phải JSON xen giữa hai đơn hàng'))
  await setsAside(world, ['not json', JSON.stringify(order(7)).slice(0, -5), ''])
})

check('incomplete-orders-go-to-the-dlq', async (world) => {
  world.did(both('wrote JSON values that are no orders between two orders, the second one with a total of 0 and special characters in its order_id',
    'ghi các giá trị JSON không phải đơn hàng xen giữa hai đơn hàng, đơn thứ hai có total là 0 và order_id chứa ký tự đặc biệt'))
  await setsAside(world, [
    {}, null, 42, 'hello', [order(7)], { ...order(7), total: '10' }, { ...order(7), items: [{ product_id: 'p', quantity: '2' }] },
    without('order_id'), without('user_id'), without('items'), without('total'),
    order(7, { items: [] }), order(7, { items: [{ product_id: 'p', quantity: 0 }] }), order(7, { items: [{ product_id: 'p', quantity: 1.5 }] }),
    { ...order(7), items: [{ quantity: 1 }] }, { ...order(7), items: [null] }, order(7, { total: -1 }), { ...order(7), total: null },
  ].map((value) => JSON.stringify(value)).concat(JSON.stringify(order(7)).replace('"total":7', '"total":1e999')), { total: 0, order_id: 'o-2 /é:#' })
})

check('records-without-value-go-to-the-dlq', async (world) => {
  world.did(both('wrote a record without a value between two orders', 'ghi một bản ghi không có value xen giữa hai đơn hàng'))
  await setsAside(world, [null])
})

check('malformed-records-go-at-once', async ({ learner, kafka, did }) => {
  did(both('wrote malformed records, with a minute between attempts', 'ghi các bản ghi hỏng, mỗi lần thử cách nhau một phút'))
  const topic = await kafka.topic()
  const dlqTopic = await kafka.topic()
  const shop = await startShop(learner, kafka, { topic, dlqTopic, retryDelayMs: 60_000 })
  await kafka.produce(topic, [{ value: 'not json', partition: 0 }, { value: '{}', partition: 0 }, record(1)])
  await shop.reaches(1)
  await deadLetters(kafka, dlqTopic, 2 * SERVICES.length)
  await shop.stop()
})

/** Each of `values` goes to the DLQ of every service, and to no service; the orders around them are handled. */
async function setsAside({ learner, kafka }: World, values: readonly Message['value'][], last: Partial<Order> = {}): Promise<void> {
  const topic = await kafka.topic()
  const dlqTopic = await kafka.topic()
  const shop = await startShop(learner, kafka, { topic, dlqTopic, retryDelayMs: 5, maxAttempts: 2 })
  const middle = values.map((value) => ({ key: 'k', value, partition: 0 }))
  await kafka.produce(topic, [record(1), ...middle, record(2, 0, last)])
  await shop.reaches(2)
  for (const service of SERVICES) same(shop.handled(service), [1, 2], both(`the orders that ${service} got`, `các đơn hàng ${service} nhận được`))
  const dead = await deadLetters(kafka, dlqTopic, values.length * SERVICES.length)
  sameBytes(dead, middle)
  await shop.stop()
}

/** Shows of each side only what the other one lacks. */
function sameBytes(dead: readonly KafkaMessage[], records: readonly Message[]): void {
  const [got, wanted] = [dead.map(bytesOf), records.map(bytesOf)]
  same(new Set(got.filter((bytes) => !wanted.includes(bytes))), new Set(wanted.filter((bytes) => !got.includes(bytes))),
    both('keys and values in the DLQ that differ, as hex', 'key và value bị khác trong DLQ, dạng hex'))
}

/** Key and value of a record as hex, so that they can be compared and shown. */
function bytesOf({ key, value }: Pick<Message | KafkaMessage, 'key' | 'value'>): string {
  const hex = (bytes: Buffer | string | null | undefined): string => (bytes == null ? 'null' : Buffer.from(bytes as string).toString('hex'))
  return `${hex(key)}: ${hex(value)}`
}

function headersOf({ headers = {} }: KafkaMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** Orders, records and services as the checks use them. */
import {
  both, CheckFailed, methods, namedTopics, shown, until, type KafkaRequest, type KafkaWire, type KafkaWorld, type Learner,
  type Methods, type Text,
} from '#checks'
import type { KafkaMessage } from 'kafkajs'

export interface Order {
  readonly order_id: string
  readonly user_id: string
  readonly email: string
  readonly items: readonly { readonly product_id: string; readonly quantity: number }[]
  readonly total: number
}

export const SERVICES = ['email', 'inventory', 'loyalty'] as const

export type Service = (typeof SERVICES)[number]

/** A call of a service: `order` is the number of the order it is for. */
export interface Call {
  readonly service: Service
  readonly order: number
  readonly args: readonly unknown[]
}

export interface Options {
  readonly topic?: string
  readonly dlqTopic?: string
  readonly groupId?: string
  readonly maxAttempts?: number
  readonly retryDelayMs?: number
}

export type OnCall = (call: Call) => Promise<void>

export type Consumer = Methods<'start' | 'stop'>

type Producer = Methods<'connect' | 'createOrder' | 'createOrders' | 'disconnect'>

/** How long a start or a stop may take, in milliseconds: kafkajs first waits for the fetch under way, at most 5 s unless told otherwise. */
const STOP_MS = 15_000

const FACTORIES = { email: 'createEmailConsumer', inventory: 'createInventoryConsumer', loyalty: 'createLoyaltyConsumer' }

const METHODS = { email: 'sendEmail', inventory: 'decrement', loyalty: 'addPoints' }

/** The n-th order: of its own user, with one line, and worth n. */
export const order = (n: number, changes: Partial<Order> = {}): Order => ({
  order_id: `o-${n}`, user_id: `u-${n}`, email: `u-${n}@example.com`, items: [{ product_id: `p-${n}-a`, quantity: 1 }], total: n, ...changes,
})

/** A record as `createOrder` writes it. */
export const record = (n: number, partition = 0, changes: Partial<Order> = {}): { key: string; value: string; partition: number } => {
  const made = order(n, changes)
  return { key: made.user_id, value: JSON.stringify(made), partition }
}

/** Numbers from 1 to `n`. */
export const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1)

export async function makeProducer(learner: Learner, topic?: string): Promise<Producer> {
  learner.host.deadline(STOP_MS)
  const made = await learner.call('createOrderProducer', learner.kafka, ...(topic === undefined ? [] : [{ topic }]))
  return methods(made, ['connect', 'createOrder', 'createOrders', 'disconnect'], both('createOrderProducer', 'createOrderProducer'))
}

/** A producer that is connected. */
export async function openProducer(learner: Learner, topic: string): Promise<Producer> {
  const producer = await makeProducer(learner, topic)
  await producer.connect()
  return producer
}

/** A consumer that is not started yet. */
export async function makeService(learner: Learner, service: Service, options: Options, onCall: OnCall): Promise<Consumer> {
  learner.host.deadline(STOP_MS)
  const services = { [METHODS[service]]: (...args: unknown[]) => onCall({ service, order: orderOf(service, args), args }) }
  const factory = FACTORIES[service]
  return methods(await learner.call(factory, learner.kafka, services, options), ['start', 'stop'], both(factory, factory))
}

/**
 * A consumer that has begun to fetch: from then on it sees what is written, wherever a new group starts.
 * Every consumer has connections of its own, so the wire of a client that starts one after the other tells whose fetch it is.
 */
export async function startService(learner: Learner, service: Service, options: Options, onCall: OnCall): Promise<Consumer> {
  const wire = learner.kafkaWire
  const consumer = await makeService(learner, service, options, onCall)
  const before = wire.made()
  await consumer.start()
  // Who opens no connection shares another's: what comes of that is for the checks to see.
  if (wire.made() > before) await eventually(() => wire.requests('Fetch').some(({ connection }) => connection >= before),
    both(`the ${service} consumer to fetch from the topic`, `consumer ${service} bắt đầu đọc từ topic`))
  return consumer
}

export type Groups = Readonly<Record<Service, string>>

export const newGroups = (kafka: KafkaWorld): Groups =>
  ({ email: kafka.name('email'), inventory: kafka.name('inventory'), loyalty: kafka.name('loyalty') })

export interface Shop {
  readonly groups: Groups
  /** Every call so far. */
  readonly calls: readonly Call[]
  /** Numbers of the orders that the calls of a service were for, in the order in which each came first. */
  handled(service: Service): number[]
  /** How often a service has been called for order `n`. */
  times(service: Service, n: number): number
  /** Waits until every service has been called for order `n`, `times` times if told so, and says so where every consumer has ended instead. */
  reaches(n: number, times?: number): Promise<void>
  /** Stops all of them, or those named. */
  stop(...some: readonly Service[]): Promise<unknown>
}

/** All three services, each in a group of its own; `onCall` may reject or hold a call. */
export async function startShop(
  learner: Learner, kafka: KafkaWorld, options: Options, onCall: OnCall = async () => {}, groups = newGroups(kafka),
): Promise<Shop> {
  const calls: Call[] = []
  const consumers = new Map<Service, Consumer>()
  for (const service of SERVICES) {
    consumers.set(service, await startService(learner, service, { ...options, groupId: groups[service] }, (call) => {
      calls.push(call)
      return onCall(call)
    }))
  }
  const handled = (service: Service): number[] => ordersOf(calls.filter((call) => call.service === service))
  const times = (service: Service, n: number): number => calls.filter((call) => call.service === service && call.order === n).length
  return {
    groups, calls, handled, times,
    async reaches(n, often = 1) {
      const [en, vi] = often === 1 ? ['', ''] : [` ${often} times`, ` ${often} lần`]
      for (const service of SERVICES) await comes(learner, () => times(service, n) >= often,
        both(`${service} to be called for order ${n}${en}`, `${service} được gọi cho đơn hàng ${n}${vi}`))
    },
    stop: (...some) => Promise.all((some.length > 0 ? some : SERVICES).map((service) => consumers.get(service)!.stop())),
  }
}

/** Numbers of orders in the order in which each came first: at least once means that some may come again. */
export const ordersOf = (calls: readonly Call[]): number[] => [...new Set(calls.map((call) => call.order))]

/** Which order a call is for: learner code may have handed over anything. */
function orderOf(service: Service, [first, second]: readonly unknown[]): number {
  if (service === 'email') return numberIn((first as Partial<Order> | null | undefined)?.order_id)
  if (service === 'inventory') return numberIn(first)
  // A user with several orders has no number: the points tell which one it is.
  return Number.isNaN(numberIn(first)) ? Number(second) / 10 : numberIn(first)
}

const numberIn = (id: unknown): number => Number(/^\w-(\d+)/.exec(String(id))?.[1])

/** Like `until`, on a machine of which many others want something. */
export const eventually = <T>(condition: () => T | Promise<T>, what: Text, ms = 10_000): Promise<NonNullable<T>> => until(condition, what, ms)

/** Waits for what only a living consumer can do, and says so where every one has ended instead. */
export async function comes(learner: Learner, condition: () => boolean, what: Text): Promise<void> {
  try {
    await eventually(condition, what)
  } catch (error) {
    if (!(error instanceof CheckFailed) || learner.kafkaWire.open() > 0) throw error
    throw new CheckFailed(both(
      `Waited in vain for ${what.en}: the consumer has ended and closed its connections.`,
      `Chờ mãi không thấy ${what.vi}: consumer đã dừng hẳn và đóng các kết nối.`), { expected: what })
  }
}

/** An order that lacks a field. */
export function without(key: keyof Order): object {
  return Object.fromEntries(Object.entries(order(7)).filter(([name]) => name !== key))
}

/** How far a group has come on a topic, all partitions together. */
export async function done(kafka: KafkaWorld, group: string, topic: string): Promise<number> {
  return (await kafka.committed(group, topic)).reduce((sum, offset) => sum + Math.max(0, offset), 0)
}

/** Groups that stand at the beginning of a topic: one that has to join again finds its place, wherever a new group starts. */
export async function standingGroups(kafka: KafkaWorld, topic: string): Promise<Groups> {
  const groups = newGroups(kafka)
  await Promise.all(Object.values(groups).map((group) => kafka.rewind(group, topic)))
  return groups
}

/** Waits until `count` records are on a topic. */
export async function untilWritten(kafka: KafkaWorld, topic: string, count: number, where = both('on the topic', 'trên topic')): Promise<void> {
  await eventually(async () => (await kafka.ends(topic)).reduce((sum, end) => sum + end, 0) >= count,
    both(`${count} ${count === 1 ? 'record' : 'records'} ${where.en}`, `${count} bản ghi ${where.vi}`))
}

/** Records of a DLQ, once `count` are there. */
export async function deadLetters(kafka: KafkaWorld, dlqTopic: string, count: number): Promise<KafkaMessage[]> {
  await untilWritten(kafka, dlqTopic, count, both('in the DLQ', 'trong DLQ'))
  return kafka.read(dlqTopic, count)
}

/** Waits a moment for a commit that may be under way; who commits later, or only at a stop, is not held up for long. */
export async function commitUnderWay(kafka: KafkaWorld, group: string, topic: string, offsets: number): Promise<void> {
  await kafka.untilCommitted(group, topic, offsets, undefined, 1000).catch(() => {})
}

/** A client that is cut off as soon as it asks for a topic of orders: a service may see to its DLQ before. */
export async function nowhere(learner: Learner): Promise<Learner> {
  const client = await learner.withKafka({ retries: 1 })
  client.kafkaWire.gate = (request) => (namedTopics(request).some((topic) => topic !== 'orders.dlq') ? 'cut' : 'pass')
  return client
}

/** A topic that has one order already: on one that was only just made, a client with few retries may give up. */
export async function warmTopic(kafka: KafkaWorld): Promise<string> {
  const topic = await kafka.topic()
  await kafka.produce(topic, [record(99)])
  return topic
}

/**
 * Lets another consumer of the same process, with a topic of its own, handle an order and stop. When that is over,
 * whatever the first one was about to do at the beginning is done as well: both live in one event loop and on one broker.
 */
export async function controlRun(learner: Learner, kafka: KafkaWorld): Promise<void> {
  const topic = await kafka.topic()
  let seen = false
  const consumer = await startService(learner, 'loyalty', { topic, groupId: kafka.name('control') }, async () => { seen = true })
  await kafka.produce(topic, [record(1)])
  await eventually(() => seen, both('another consumer to get its order', 'một consumer khác nhận được đơn hàng của nó'))
  await consumer.stop()
}

/** The JSON value of a record, or a failure that shows what the record holds. */
export function jsonOf(value: Buffer | null): unknown {
  try {
    return JSON.parse(String(value))
  } catch {
    const text = String(value).slice(0, 80)
    throw new CheckFailed(both(`The value of the record is not JSON: ${text}`, `Value của bản ghi không phải JSON: ${text}`),
      { expected: '{"order_id":…}', got: shown(text) })
  }
}

/** The parts of an order in a value that may be anything. */
export function orderIn(value: unknown): Partial<Record<keyof Order, unknown>> {
  const { order_id, user_id, email, items, total } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Order>
  return { order_id, user_id, email, items, total }
}

/** The groups whose coordinator was asked for; of a FindCoordinator request since version 1 the last byte tells a group (0). */
export function groupsAskedFor(wire: KafkaWire): string[] {
  const ofGroup = ({ version, body }: KafkaRequest): boolean => version === 0 || body.at(-1) === 0
  const name = ({ body }: KafkaRequest): string => body.toString('utf8', 2, 2 + body.readInt16BE(0))
  return [...new Set(wire.requests('FindCoordinator').filter(ofGroup).map(name))]
}

/** A shop's topics, the learner's analytics on them, and what a reader of committed records finds in the output. */
import { setTimeout as pause } from 'node:timers/promises'
import { becomes, both, CheckFailed, Inconclusive, methods, same, shown, until, type CheckContext, type KafkaWorld, type Learner, type Methods, type Text } from '#checks'
import { Partitioners, type Message } from 'kafkajs'

export type World = Pick<CheckContext, 'learner' | 'another' | 'kafka'>

export type Analytics = Methods<'start' | 'stop' | 'getTotal' | 'lag'>

/** Everything that must be one check's own. */
export interface Shop {
  readonly inputTopic: string
  readonly outputTopic: string
  readonly dlqTopic: string
  readonly groupId: string
  readonly transactionalId: string
}

/** How long a start or a stop may take, in milliseconds: members of a group wait for each other. */
const PATIENCE_MS = 8000

export async function openShop(kafka: KafkaWorld, partitions = 1): Promise<Shop> {
  const [inputTopic, outputTopic, dlqTopic] = await Promise.all([kafka.topic(partitions), kafka.topic(partitions), kafka.topic()])
  return { inputTopic, outputTopic, dlqTopic, groupId: kafka.name('revenue'), transactionalId: kafka.name('tx') }
}

export async function makeAnalytics(learner: Learner, options: Partial<Shop>): Promise<Analytics> {
  learner.host.deadline(PATIENCE_MS)
  return methods(await learner.call('createRevenueAnalytics', learner.kafka, { ...options, store: learner.redis }),
    ['start', 'stop', 'getTotal', 'lag'], both('createRevenueAnalytics', 'createRevenueAnalytics'))
}

/** Analytics whose start() has resolved. */
export async function startAnalytics(learner: Learner, shop: Shop): Promise<Analytics> {
  const analytics = await makeAnalytics(learner, shop)
  await analytics.start()
  return analytics
}

/** A sale as the shop writes it. */
export function sale(product: string, quantity: number, price: number): Message {
  return { key: product, value: JSON.stringify({ product_id: product, quantity, price }) }
}

/** No sale, as a text is no number; but one that adds nothing for who takes it for a sale, which is another check's business. */
export function noSale(text: string): Message {
  return { key: 'lamp', value: JSON.stringify({ product_id: 'lamp', quantity: text, price: 0 }) }
}

/** Whether an invalid sale is on the DLQ, now or soon. */
export async function isSetAside(kafka: KafkaWorld, shop: Shop, invalid: Message, ms = 500): Promise<boolean> {
  let found = false
  await ifItComes(async () => (found = (await kafka.readCommitted(shop.dlqTopic)).some(({ value }) => tells(String(value), String(invalid.value)))), ms)
  return found
}

/** A record is told as it came, or within whatever the learner wraps around it. */
export function tells(text: string, value: string): boolean {
  return [value, JSON.stringify(value).slice(1, -1), Buffer.from(value).toString('base64')].some((form) => text.includes(form))
}

/** A product whose sales and totals go to `partition` of two. */
export function productIn(partition: 0 | 1): string {
  const partitionOf = Partitioners.DefaultPartitioner()
  const partitionMetadata = [0, 1].map((partitionId) => ({ partitionId, leader: 1, partitionErrorCode: 0, replicas: [1], isr: [1] }))
  return ['lamp', 'chair', 'table', 'shelf', 'clock', 'vase'].find((key) =>
    partitionOf({ topic: '', partitionMetadata, message: { key, value: '' } }) === partition)!
}

/** How long members of a group may take to hear of a change, in milliseconds: who sets its own heartbeat hears later. */
export const REBALANCE_MS = 10_000

/** How long totals may take to come, in milliseconds. */
const TOTALS_MS = 6000

export type Totals = Readonly<Record<string, number>>

/** A product's totals in the order in which a reader sees them; that they are written as numbers is another check's business. */
type Histories = Map<string, unknown[]>

async function histories(kafka: KafkaWorld, shop: Shop): Promise<Histories> {
  const found: Histories = new Map()
  for (const { value } of await kafka.readCommitted(shop.outputTopic)) {
    const { product_id, total_revenue } = outputOf(value)
    found.set(String(product_id), [...(found.get(String(product_id)) ?? []), total_revenue])
  }
  return found
}

/** What an output record says; nothing where it is no JSON object. */
export function outputOf(value: Buffer | null): { product_id?: unknown; total_revenue?: unknown } {
  try {
    const found: unknown = JSON.parse(String(value))
    return typeof found === 'object' && found !== null ? found : {}
  } catch {
    return {}
  }
}

/**
 * Waits until the last committed totals are `expected`. Totals that go down, or beyond what was sold, are a failure at
 * once: nothing that comes later makes them right.
 */
export async function untilTotals(kafka: KafkaWorld, shop: Shop, expected: Totals, options?: Patience): Promise<void> {
  const { reached, last } = await totalsReach(kafka, shop, expected, options)
  if (reached || options?.unless?.()) return
  throw new CheckFailed(both(
    `Waited in vain for committed totals of ${shown(expected)}; so far: ${shownTotals(last)}.`,
    `Chờ mãi không thấy tổng đã commit là ${shown(expected)}; cho đến giờ: ${shownTotals(last)}.`),
  { kind: 'values', expected: shown(expected), got: shownTotals(last) })
}

export interface Patience {
  readonly ms?: number
  /** Ends the waiting early. */
  readonly unless?: () => boolean
}

/** The same where it may not come: whether it did, and what was there. */
export async function totalsReach(
  kafka: KafkaWorld, shop: Shop, expected: Totals, { ms, unless }: Patience = {},
): Promise<{ reached: boolean; last: Histories }> {
  let last: Histories = new Map()
  let reached = false
  await ifItComes(async () => {
    last = await histories(kafka, shop)
    judge(last, expected)
    reached = Object.entries(expected).every(([product, total]) => Number(last.get(product)?.at(-1)) === total)
    return reached || unless?.() === true
  }, ms ?? TOTALS_MS)
  return { reached, last }
}

/** Waits until getTotal() tells the totals: an instance may know them a little later than readers of its output. */
export async function knows(analytics: Analytics, totals: Totals): Promise<void> {
  for (const [product, total] of Object.entries(totals)) {
    await becomes(() => analytics.getTotal(product), total,
      both(`getTotal("${product}") to resolve to ${total}`, `getTotal("${product}") trả về ${total}`))
  }
}

/** After everything has stopped: the totals end in `expected`, and have never gone down. */
export async function endsWith(kafka: KafkaWorld, shop: Shop, expected: Totals): Promise<void> {
  const found = await histories(kafka, shop)
  judge(found, expected)
  for (const [product, total] of Object.entries(expected)) same(Number(found.get(product)?.at(-1)), total,
    both(`the last committed total of "${product}"`, `tổng đã commit cuối cùng của "${product}"`))
}

function judge(found: Histories, expected: Totals): void {
  for (const [product, totals] of found) {
    const drop = totals.findIndex((total, i) => i > 0 && !(Number(total) >= Number(totals[i - 1])))
    const beyond = totals.some((total) => Number(total) > (expected[product] ?? Infinity))
    if (drop < 0 && !beyond) continue
    const what = both(`the committed totals of "${product}"`, `các tổng đã commit của "${product}"`)
    const wanted = drop >= 0 ? both('never decreasing', 'không bao giờ giảm') : both(`at most ${expected[product]}`, `không quá ${expected[product]}`)
    throw new CheckFailed(both(
      `The totals a reader sees for "${product}": expected ${wanted.en}, got ${totals.join(', ')}.`,
      `Các tổng mà bên đọc thấy cho "${product}": mong đợi ${wanted.vi}, nhận được ${totals.join(', ')}.`),
    { kind: 'values', expected: both(`${what.en} ${wanted.en}`, `${what.vi} ${wanted.vi}`), got: totals.join(', ') })
  }
}

function shownTotals(found: Histories): string {
  return found.size === 0 ? '—' : [...found].map(([product, totals]) => `${product}: ${totals.slice(-8).join(', ')}`).join('; ')
}

/** Whatever the last sale's commit is, it is over soon; who commits in another way is not held up for long. */
export async function commitUnderWay(kafka: KafkaWorld, shop: Shop, offsets: number): Promise<void> {
  await ifItComes(async () =>
    (await kafka.committed(shop.groupId, shop.inputTopic)).reduce((sum, offset) => sum + Math.max(0, offset), 0) >= offsets, 1000)
}

/**
 * Waits for what need not come: where it does not, the check goes on without it. On a busy machine, where looking takes
 * long, it looks as often as it would on one that has some time to spare, and so waits for longer.
 */
export async function ifItComes(condition: () => boolean | Promise<boolean>, ms = 4000): Promise<void> {
  const start = performance.now()
  for (let looks = 1; !(await condition()); looks++) {
    const waited = performance.now() - start
    if (waited > ms && looks >= ms / 50) return
    if (waited > 3 * ms + 3000) throw new Inconclusive(both('The machine was too busy to tell.', 'Máy quá bận nên không kết luận được.'))
    await pause(Math.min(20, 5 + waited / 20))
  }
}

/** Waits until the learner asks for records of the input: it owns a part of it. */
export async function untilFetching(learner: Learner, shop: Shop, what: Text): Promise<void> {
  await until(() => learner.kafkaWire.requests('Fetch').some(({ body }) => body.includes(shop.inputTopic)), what, REBALANCE_MS)
}

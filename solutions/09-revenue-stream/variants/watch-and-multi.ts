// Way: a hash per partition, changed under WATCH on a connection of its own, which lag() looks at, too; sums as bigint.
import type { Redis } from 'ioredis'
import type { EachBatchPayload, Kafka, Message, Producer } from 'kafkajs'

/** One record of the input. */
interface Sale {
  product_id: string
  quantity: number
  price: number
}

/** A sale as the totals see it; the offset is what makes a second delivery recognisable. */
interface Amount {
  offset: number
  productId: string
  cents: number
}

/**
 * Sums up sales: reads `inputTopic` (`sales`) as `groupId` (`revenue-analytics`) and writes each product's new total to
 * `outputTopic` (`revenue`). To a reader of committed records totals never decrease, and the last one counts every sale
 * exactly once, whatever crashes, restarts or rebalances. What is no sale goes to `dlqTopic` (`sales.dlq`) as it came.
 *
 * Two guards work together. The totals live in `store`, each partition's next to the offset it has come to, so that a
 * sale that is delivered again changes nothing. And a partition's records are written in transactions under an id of
 * its own (`transactionalId`, a hyphen, the partition): who takes it over fences off whoever had it before, so that no
 * older total can follow a newer one.
 */
export function createRevenueAnalytics(
  kafka: Kafka,
  options: {
    groupId?: string
    inputTopic?: string
    outputTopic?: string
    dlqTopic?: string
    transactionalId: string
    store: Redis
  },
): {
  start(): Promise<void>
  stop(): Promise<void>
  getTotal(productId: string): Promise<number>
  lag(): Promise<number>
} {
  const {
    groupId = 'revenue-analytics', inputTopic = 'sales', outputTopic = 'revenue', dlqTopic = 'sales.dlq', transactionalId, store,
  } = options
  const productsKey = `{${groupId}/${inputTopic}}/products`
  const keyOf = (partition: number | string): string => `{${groupId}/${inputTopic}}/partition/${partition}`
  // WATCH belongs to a connection: nobody else may use this one.
  const own = store.duplicate({ lazyConnect: true })
  const admin = kafka.admin()
  let stopping = false
  // Without restartOnFailure a stop in the middle of a restart would be followed by the restart.
  const consumer = kafka.consumer({ groupId, retry: { restartOnFailure: async () => !stopping } })
  const producers = new Map<number, Producer>()
  const processed = new Map<number, number>()

  // Also where a batch held nothing but control records, which no handler and no commit ever hears of.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
    processed.set(partition, Number(lastOffset) + 1)
  })

  async function producerOf(partition: number): Promise<Producer> {
    const known = producers.get(partition)
    if (known) return known
    const producer = kafka.producer({ transactionalId: `${transactionalId}-${partition}`, idempotent: true, maxInFlightRequests: 1 })
    producers.set(partition, producer)
    await producer.connect()
    return producer
  }

  /** A transaction that failed leaves its producer of no use; the next one with the same id aborts what is left of it. */
  async function dropProducer(partition: number): Promise<void> {
    const producer = producers.get(partition)
    producers.delete(partition)
    await producer?.disconnect()
  }

  /** Adds the sales that are new; resolves to the total, in cents, of every product in `sales`. */
  async function addSales(partition: number, sales: readonly Amount[]): Promise<Map<string, bigint>> {
    const key = keyOf(partition)
    for (;;) {
      await own.watch(key)
      const state = await own.hgetall(key)
      const next = Number(state.next ?? 0)
      const totals = new Map<string, bigint>()
      for (const { offset, productId, cents } of sales) {
        const before = totals.get(productId) ?? BigInt(state[`total:${productId}`] ?? 0)
        totals.set(productId, offset < next ? before : before + BigInt(cents))
      }
      const last = sales.at(-1)?.offset ?? -1
      const fields = Object.fromEntries([...totals].map(([productId, cents]) => [`total:${productId}`, String(cents)]))
      const saved = await own.multi().hset(key, { ...fields, next: String(Math.max(next, last + 1)) }).hset(productsKey, ...partitionOfEach(totals, partition)).exec()
      if (saved !== null) return totals
    }
  }

  async function process({ batch }: EachBatchPayload): Promise<void> {
    const { partition } = batch
    const sales: Amount[] = []
    const invalid: Message[] = []
    for (const { offset, key, value } of batch.messages) {
      const sale = parseSale(value)
      if (sale) sales.push({ offset: Number(offset), productId: sale.product_id, cents: sale.quantity * Math.round(sale.price * 100) })
      else invalid.push({ key, value })
    }
    const producer = await producerOf(partition)
    // From here on nobody else can write for this partition, so the totals read below are the latest that anybody sends.
    const transaction = await producer.transaction()
    const totals = await addSales(partition, sales)
    const outputs = [...totals].map(([productId, cents]) => output(productId, cents))
    await transaction.sendBatch({
      topicMessages: [{ topic: outputTopic, messages: outputs }, { topic: dlqTopic, messages: invalid }]
        .filter(({ messages }) => messages.length > 0),
    })
    const next = String(BigInt(batch.lastOffset()) + 1n)
    await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic: inputTopic, partitions: [{ partition, offset: next }] }] })
    await transaction.commit()
  }

  async function close(): Promise<void> {
    await consumer.disconnect()
    own.disconnect()
    await Promise.all([admin.disconnect(), ...[...producers.keys()].map(dropProducer)])
  }

  return {
    async start() {
      try {
        await Promise.all([admin.connect(), consumer.connect()])
        await consumer.subscribe({ topic: inputTopic, fromBeginning: true })
        await consumer.run({
          autoCommit: false,
          eachBatch: async (payload) => {
            // Whoever slept through the end of its session hears of it here.
            await payload.heartbeat()
            try {
              await process(payload)
            } catch (cause) {
              await dropProducer(payload.batch.partition)
              // On errors that say they are final, such as a fenced producer's, kafkajs would end the consumer for good.
              throw new Error('the batch was not processed', { cause })
            }
          },
        })
      } catch (error) {
        await close()
        throw error
      }
    },
    async stop() {
      stopping = true
      await close()
    },
    async getTotal(productId) {
      const partition = await store.hget(productsKey, productId)
      if (partition === null) return 0
      return Number((await store.hget(keyOf(partition), `total:${productId}`)) ?? 0) / 100
    },
    async lag() {
      const [ends, [committed]] = await Promise.all([
        admin.fetchTopicOffsets(inputTopic),
        admin.fetchOffsets({ groupId, topics: [inputTopic] }),
      ])
      const offsets = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
      // What is counted is processed: whoever takes the partition over publishes it, if that has not been done.
      const counted = await Promise.all(ends.map(({ partition }) => store.hget(keyOf(partition), 'next')))
      return ends.reduce((sum, { partition, high, low }, i) => {
        const next = Math.max(Number(low), offsets.get(partition) ?? 0, processed.get(partition) ?? 0, Number(counted[i] ?? 0))
        return sum + Math.max(0, Number(high) - next)
      }, 0)
    },
  }
}

function partitionOfEach(totals: ReadonlyMap<string, bigint>, partition: number): string[] {
  const fields = [...totals.keys()].flatMap((productId) => [productId, String(partition)])
  // HSET wants a field even where a batch held no sale.
  return fields.length > 0 ? fields : ['', '']
}

function output(productId: string, cents: bigint): Message {
  return { key: productId, value: JSON.stringify({ product_id: productId, total_revenue: Number(cents) / 100 }) }
}

function parseSale(value: Buffer | null): Sale | null {
  try {
    const found: unknown = JSON.parse(String(value))
    return isSale(found) ? found : null
  } catch {
    return null
  }
}

function isSale(value: unknown): value is Sale {
  if (typeof value !== 'object' || value === null) return false
  const { product_id, quantity, price } = value as Partial<Record<keyof Sale, unknown>>
  return typeof product_id === 'string'
    && Number.isSafeInteger(quantity) && (quantity as number) > 0
    && Number.isFinite(price) && (price as number) >= 0
}

// Mistake: reads the output, fences its predecessor and asks for the group's offset last: what that one begins and commits
//          in between counts as done, and is in no total.
// Fails: commit-after-the-position
import type { Redis } from 'ioredis'
import type { EachBatchPayload, Kafka, Message, Producer, Transaction } from 'kafkajs'

interface Sale {
  product_id: string
  quantity: number
  price: number
}

/** A partition this instance has been assigned: its producer, its totals in cents, and the first offset not yet counted. */
interface Owned {
  producer: Producer
  totals: Map<string, number>
  next: number
}

/**
 * Sums up the sales of `inputTopic` (`sales`) as `groupId` (`revenue-analytics`) and writes each product's total to
 * `outputTopic` (`revenue`), exactly once: outputs and offsets share a transaction. What is no sale goes to `dlqTopic`
 * (`sales.dlq`).
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
  const { groupId = 'revenue-analytics', inputTopic = 'sales', outputTopic = 'revenue', dlqTopic = 'sales.dlq', transactionalId } = options
  const admin = kafka.admin()
  const owned = new Map<number, Promise<Owned>>()
  let stopping = false
  const consumer = kafka.consumer({ groupId, retry: { restartOnFailure: async () => !stopping } })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const before = [...owned.values()]
    owned.clear()
    for (const partition of payload.memberAssignment[inputTopic] ?? []) own(partition)
    void Promise.allSettled(before.map(release))
  })

  function own(partition: number): void {
    const taking = take(partition)
    owned.set(partition, taking)
    // Who needs the partition hears of it; until then it is nobody's failure.
    taking.catch(() => {})
  }

  async function take(partition: number): Promise<Owned> {
    const totals = await restore(partition)
    const producer = kafka.producer({ transactionalId: `${transactionalId}.${partition}`, idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    try {
      // The first transaction of a producer fences whoever used the id before.
      await (await producer.transaction()).abort()
      const [committed] = await admin.fetchOffsets({ groupId, topics: [inputTopic] })
      const offset = committed?.partitions.find((found) => found.partition === partition)?.offset
      return { producer, totals, next: Math.max(0, Number(offset ?? 0)) }
    } catch (error) {
      await producer.disconnect()
      throw error
    }
  }

  async function release(taking: Promise<Owned>): Promise<void> {
    const { producer } = await taking
    await producer.disconnect()
  }

  /** Reads the output's partition up to its end; the end is reached by offsets, control records included. */
  async function restore(partition: number): Promise<Map<string, number>> {
    const totals = new Map<string, number>()
    const ends = new Map<number, number>()
    for (const found of await admin.fetchTopicOffsets(outputTopic)) {
      if (Number(found.high) > Number(found.low)) ends.set(found.partition, Number(found.high))
    }
    if (!ends.has(partition)) return totals
    const reader = kafka.consumer({ groupId: `${groupId}.restore.${Math.random().toString(36).slice(2)}` })
    const done = new Promise<void>((resolve) => {
      reader.on(reader.events.END_BATCH_PROCESS, ({ payload }) => {
        if (payload.partition === partition && Number(payload.lastOffset) + 1 >= ends.get(partition)!) resolve()
      })
    })
    try {
      await reader.connect()
      await reader.subscribe({ topic: outputTopic, fromBeginning: true })
      await reader.run({
        autoCommit: false,
        eachMessage: async ({ partition: from, message }) => {
          if (from !== partition) return
          const { product_id, total_revenue } = JSON.parse(String(message.value)) as { product_id: string; total_revenue: number }
          totals.set(product_id, Math.round(total_revenue * 100))
        },
      })
      await done
    } finally {
      await reader.disconnect()
    }
    return totals
  }

  async function process({ batch }: EachBatchPayload): Promise<void> {
    const { partition } = batch
    if (!owned.has(partition)) own(partition)
    const taking = owned.get(partition)!
    try {
      const state = await taking
      const changed = new Map<string, number>()
      const invalid: Message[] = []
      for (const { offset, key, value } of batch.messages) {
        if (Number(offset) < state.next) continue
        const sale = parseSale(value)
        if (sale === null) {
          invalid.push({ key, value })
          continue
        }
        const before = changed.get(sale.product_id) ?? state.totals.get(sale.product_id) ?? 0
        changed.set(sale.product_id, before + sale.quantity * Math.round(sale.price * 100))
      }
      const next = Number(batch.lastOffset()) + 1
      const transaction = await state.producer.transaction()
      await write(transaction, changed, invalid)
      await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic: inputTopic, partitions: [{ partition, offset: String(next) }] }] })
      await transaction.commit()
      for (const [product, cents] of changed) state.totals.set(product, cents)
      state.next = Math.max(state.next, next)
    } catch (cause) {
      // Nobody knows what became of the transaction: everything is read anew.
      if (owned.get(partition) === taking) owned.delete(partition)
      await Promise.allSettled([release(taking)])
      throw new Error('the batch was not processed', { cause })
    }
  }

  async function write(transaction: Transaction, totals: Map<string, number>, invalid: Message[]): Promise<void> {
    const messages = [...totals].map(([product_id, cents]) =>
      ({ key: product_id, value: JSON.stringify({ product_id, total_revenue: cents / 100 }) }))
    if (messages.length > 0) await transaction.send({ topic: outputTopic, messages })
    if (invalid.length > 0) await transaction.send({ topic: dlqTopic, messages: invalid })
  }

  async function close(): Promise<void> {
    await consumer.disconnect()
    await Promise.allSettled([...owned.values()].map(release))
    await admin.disconnect()
  }

  return {
    async start() {
      try {
        await admin.connect()
        await consumer.connect()
        await consumer.subscribe({ topic: inputTopic, fromBeginning: true })
        await consumer.run({
          autoCommit: false,
          eachBatch: async (payload) => {
            await payload.heartbeat()
            await process(payload)
          },
        })
        await Promise.all(owned.values())
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
      const states = await Promise.all(owned.values())
      const cents = states.map(({ totals }) => totals.get(productId)).find((total) => total !== undefined)
      return (cents ?? 0) / 100
    },
    async lag() {
      const ends = await admin.fetchTopicOffsets(inputTopic)
      const [committed] = await admin.fetchOffsets({ groupId, topics: [inputTopic] })
      let behind = 0
      for (const { partition, high, low } of ends) {
        const offset = Number(committed?.partitions.find((found) => found.partition === partition)?.offset ?? -1)
        behind += Math.max(0, Number(high) - (offset < 0 ? Number(low) : offset))
      }
      return behind
    },
  }
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

// Mistake: totals are kept in a plain object: the product "constructor" has a total that is no number
// Fails: unknown-product-is-zero
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Consumer, EachBatchPayload, Kafka, Message, Producer } from 'kafkajs'

/** The names default to the topics `sales`, `revenue` and `sales.dlq` and the group `revenue-analytics`. */
export interface Options {
  groupId?: string
  inputTopic?: string
  outputTopic?: string
  dlqTopic?: string
  transactionalId: string
  store: Redis
}

/** A stream from `sales` to `revenue`; every sale counts exactly once. */
export interface RevenueAnalytics {
  start(): Promise<void>
  stop(): Promise<void>
  getTotal(productId: string): Promise<number>
  lag(): Promise<number>
}

interface Sale {
  product: string
  cents: number
}

interface PartitionState {
  producer: Producer
  position: bigint
  totals: Record<string, number | undefined>
}

function parseSale(value: Buffer | null): Sale | null {
  let json: unknown
  try {
    json = JSON.parse(value?.toString() ?? '')
  } catch {
    return null
  }
  if (typeof json !== 'object' || json === null) return null
  const { product_id, quantity, price } = json as Partial<Record<string, unknown>>
  if (typeof product_id !== 'string') return null
  if (typeof quantity !== 'number' || !Number.isSafeInteger(quantity) || quantity <= 0) return null
  if (typeof price !== 'number' || !Number.isFinite(price) || price < 0) return null
  return { product: product_id, cents: quantity * Math.round(price * 100) }
}

/**
 * Turns the topic `sales` into totals per product on `revenue`, exactly once: outputs and offsets are committed in one Kafka
 * transaction per batch, and the totals are restored from `revenue` after the partition's transactional id was taken over.
 * Invalid sales go to `sales.dlq`, in the same transaction.
 */
export function createRevenueAnalytics(kafka: Kafka, options: Options): RevenueAnalytics {
  const {
    groupId = 'revenue-analytics',
    inputTopic = 'sales',
    outputTopic = 'revenue',
    dlqTopic = 'sales.dlq',
    transactionalId,
  } = options
  const admin = kafka.admin()
  let consumer: Consumer | undefined
  let generation = 0
  let states = new Map<number, Promise<PartitionState>>()
  let queues = new Map<number, Promise<void>>()
  const closing = new Set<Promise<void>>()

  function retire(state: Promise<PartitionState>): void {
    const closed: Promise<void> = state
      .then(({ producer }) => producer.disconnect())
      .catch(() => undefined)
      .finally(() => closing.delete(closed))
    closing.add(closed)
  }

  async function fence(partition: number): Promise<Producer> {
    const producer = kafka.producer({
      transactionalId: `${transactionalId}-${partition}`,
      idempotent: true,
      maxInFlightRequests: 1,
      retry: { retries: 5 },
    })
    try {
      await producer.connect()
      const transaction = await producer.transaction()
      await transaction.abort()
      return producer
    } catch (error) {
      await producer.disconnect()
      throw error
    }
  }

  async function readOutput(wanted: Map<number, Record<string, number | undefined>>): Promise<void> {
    const open = new Map<number, bigint>()
    for (const { partition, high, low } of await admin.fetchTopicOffsets(outputTopic)) {
      if (wanted.has(partition) && BigInt(high) > BigInt(low)) open.set(partition, BigInt(high))
    }
    if (open.size === 0) return
    const reader = kafka.consumer({ groupId: `${groupId}-restore-${randomUUID()}`, maxWaitTimeInMs: 100 })
    try {
      await reader.connect()
      await reader.subscribe({ topic: outputTopic, fromBeginning: true })
      await new Promise<void>((resolve, reject) => {
        reader.on(reader.events.CRASH, ({ payload }) => reject(payload.error))
        reader.on(reader.events.END_BATCH_PROCESS, ({ payload }) => {
          const end = open.get(payload.partition)
          if (end !== undefined && BigInt(payload.lastOffset) + 1n >= end) open.delete(payload.partition)
          if (open.size === 0) resolve()
        })
        reader
          .run({
            autoCommit: false,
            eachBatch: async ({ batch }) => {
              const totals = wanted.get(batch.partition)
              for (const { value } of batch.messages) {
                const output = JSON.parse(String(value)) as { product_id: string; total_revenue: number }
                if (totals) totals[output.product_id] = Math.round(output.total_revenue * 100)
              }
            },
          })
          .catch(reject)
      })
    } finally {
      await reader.disconnect()
    }
  }

  async function takeOver(partitions: number[]): Promise<Map<number, PartitionState>> {
    const producers = await Promise.allSettled(partitions.map(fence))
    try {
      const result = new Map<number, PartitionState>()
      const [committed] = await admin.fetchOffsets({ groupId, topics: [inputTopic] })
      partitions.forEach((partition, index) => {
        const producer = producers[index]
        if (producer?.status !== 'fulfilled') throw new Error('no producer', { cause: producer?.reason })
        const offset = committed?.partitions.find((entry) => entry.partition === partition)?.offset ?? '-1'
        const position = BigInt(offset) < 0n ? 0n : BigInt(offset)
        result.set(partition, { producer: producer.value, position, totals: {} })
      })
      await readOutput(new Map([...result].map(([partition, { totals }]) => [partition, totals])))
      return result
    } catch (error) {
      for (const producer of producers) if (producer.status === 'fulfilled') await producer.value.disconnect()
      throw error
    }
  }

  function own(partitions: number[]): void {
    const all = takeOver(partitions)
    for (const partition of partitions) {
      const state = all.then((taken) => {
        const found = taken.get(partition)
        if (!found) throw new Error('not taken over')
        return found
      })
      state.catch(() => undefined)
      states.set(partition, state)
    }
  }

  async function stateOf(partition: number): Promise<PartitionState> {
    if (!states.has(partition)) own([partition])
    const state = states.get(partition)
    if (!state) throw new Error('not owned')
    try {
      return await state
    } catch (cause) {
      if (states.get(partition) === state) states.delete(partition)
      throw new Error('the partition could not be taken over', { cause })
    }
  }

  function inTurn(partition: number, work: () => Promise<void>): Promise<void> {
    const turn = (queues.get(partition) ?? Promise.resolve()).then(work)
    queues.set(
      partition,
      turn.catch(() => undefined),
    )
    return turn
  }

  async function commit(
    partition: number,
    state: PartitionState,
    next: bigint,
    outputs: Message[],
    dead: Message[],
  ): Promise<void> {
    const promise = states.get(partition)
    if (!promise || (await promise) !== state) throw new Error('not owned any more')
    try {
      const transaction = await state.producer.transaction()
      if (outputs.length > 0) await transaction.send({ topic: outputTopic, acks: -1, messages: outputs })
      if (dead.length > 0) await transaction.send({ topic: dlqTopic, acks: -1, messages: dead })
      await transaction.sendOffsets({
        consumerGroupId: groupId,
        topics: [{ topic: inputTopic, partitions: [{ partition, offset: String(next) }] }],
      })
      await transaction.commit()
      state.position = next
    } catch (cause) {
      if (states.get(partition) === promise) states.delete(partition)
      retire(promise)
      throw new Error('the batch could not be committed', { cause })
    }
  }

  async function handle({ batch, resolveOffset }: EachBatchPayload): Promise<void> {
    const { partition } = batch
    const state = await stateOf(partition)
    const next = BigInt(batch.lastOffset()) + 1n
    const changed = new Map<string, number>()
    const dead: Message[] = []
    for (const { offset, key, value } of batch.messages) {
      if (BigInt(offset) < state.position) continue
      const sale = parseSale(value)
      if (sale === null) dead.push({ key, value })
      else changed.set(sale.product, (changed.get(sale.product) ?? state.totals[sale.product] ?? 0) + sale.cents)
    }
    if (next > state.position) {
      const outputs = [...changed].map(([product_id, cents]) => ({
        key: product_id,
        value: JSON.stringify({ product_id, total_revenue: cents / 100 }),
        partition,
      }))
      await commit(partition, state, next, outputs, dead)
      for (const [product, cents] of changed) state.totals[product] = cents
    }
    resolveOffset(batch.lastOffset())
  }

  async function close(): Promise<void> {
    await consumer?.disconnect()
    consumer = undefined
    await Promise.all(queues.values())
    for (const state of states.values()) retire(state)
    states = new Map()
    queues = new Map()
    await Promise.all(closing)
    await admin.disconnect()
  }

  return {
    async start() {
      const current = kafka.consumer({ groupId })
      consumer = current
      let joined = false
      try {
        await admin.connect()
        await current.connect()
        await current.subscribe({ topic: inputTopic, fromBeginning: true })
        current.on(current.events.GROUP_JOIN, ({ payload }) => {
          joined = true
          generation += 1
          for (const state of states.values()) retire(state)
          states = new Map()
          const partitions = payload.memberAssignment[inputTopic] ?? []
          if (partitions.length > 0) own([...partitions])
        })
        current.on(current.events.END_BATCH_PROCESS, ({ payload }) => {
          if (payload.batchSize > 0) return
          const next = BigInt(payload.lastOffset) + 1n
          inTurn(payload.partition, async () => {
            const state = await stateOf(payload.partition)
            if (state.position < next) await commit(payload.partition, state, next, [], [])
          }).catch(() => undefined)
        })
        await current.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: async (payload) => {
            const beat = setInterval(() => void payload.heartbeat().catch(() => undefined), 150)
            try {
              await inTurn(payload.batch.partition, () => handle(payload))
            } finally {
              clearInterval(beat)
            }
          },
        })
        if (!joined) throw new Error('the group could not be joined')
        for (let seen = -1; seen !== generation; ) {
          seen = generation
          await Promise.all(states.values())
        }
      } catch (error) {
        await close()
        throw error
      }
    },
    stop: close,
    async getTotal(productId) {
      for (const state of await Promise.allSettled(states.values())) {
        const cents = state.status === 'fulfilled' ? state.value.totals[productId] : undefined
        if (cents !== undefined) return cents / 100
      }
      return 0
    },
    async lag() {
      const [committed] = await admin.fetchOffsets({ groupId, topics: [inputTopic] })
      let sum = 0n
      for (const { partition, high, low } of await admin.fetchTopicOffsets(inputTopic)) {
        const offset = BigInt(committed?.partitions.find((entry) => entry.partition === partition)?.offset ?? '-1')
        const from = offset < BigInt(low) ? BigInt(low) : offset
        if (BigInt(high) > from) sum += BigInt(high) - from
      }
      return Number(sum)
    },
  }
}

// Way: a class; a script per batch that tells the total after every sale, and one output per sale; offsets in the store decide.
import type { Redis } from 'ioredis'
import type { Admin, Batch, Consumer, Kafka, Message, Producer } from 'kafkajs'

interface Options {
  groupId?: string
  inputTopic?: string
  outputTopic?: string
  dlqTopic?: string
  transactionalId: string
  store: Redis
}

/** Totals and offsets of one input partition share a hash. */
const SCRIPT = `
local seen = tonumber(redis.call('HGET', KEYS[1], '@offset') or '-1')
local replies = {}
for i = 1, #ARGV, 3 do
  local offset = tonumber(ARGV[i])
  if offset > seen then
    redis.call('HINCRBY', KEYS[1], 'p:' .. ARGV[i + 1], ARGV[i + 2])
    redis.call('HSET', KEYS[1], '@offset', ARGV[i])
    seen = offset
  end
  replies[#replies + 1] = redis.call('HGET', KEYS[1], 'p:' .. ARGV[i + 1])
end
return replies
`

class Analytics {
  readonly #options: Required<Options>
  readonly #kafka: Kafka
  readonly #admin: Admin
  readonly #consumer: Consumer
  readonly #producers = new Map<number, Promise<Producer>>()
  #partitions = 0
  #over = false

  constructor(kafka: Kafka, options: Options) {
    this.#kafka = kafka
    this.#options = { groupId: 'revenue-analytics', inputTopic: 'sales', outputTopic: 'revenue', dlqTopic: 'sales.dlq', ...options }
    this.#admin = kafka.admin()
    this.#consumer = kafka.consumer({
      groupId: this.#options.groupId,
      retry: { retries: 8, initialRetryTime: 30, maxRetryTime: 300, restartOnFailure: async () => !this.#over },
    })
  }

  start = async (): Promise<void> => {
    const { inputTopic } = this.#options
    try {
      await this.#admin.connect()
      this.#partitions = (await this.#admin.fetchTopicOffsets(inputTopic)).length
      await this.#consumer.connect()
      await this.#consumer.subscribe({ topics: [inputTopic], fromBeginning: true })
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: true,
        eachBatch: async ({ batch, heartbeat }) => {
          await heartbeat()
          await this.#take(batch).catch(async (cause: unknown) => {
            await this.#forget(batch.partition)
            throw new Error(`partition ${batch.partition} was not processed`, { cause })
          })
          await heartbeat()
        },
      })
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  stop = async (): Promise<void> => {
    this.#over = true
    await this.#consumer.disconnect()
    for (const partition of [...this.#producers.keys()]) await this.#forget(partition)
    await this.#admin.disconnect()
  }

  getTotal = async (productId: string): Promise<number> => {
    const pipeline = this.#options.store.pipeline()
    for (let partition = 0; partition < this.#partitions; partition++) pipeline.hget(this.#key(partition), `p:${productId}`)
    let cents = 0
    for (const [error, found] of (await pipeline.exec()) ?? []) {
      if (error) throw error
      cents += Number(found ?? 0)
    }
    return cents / 100
  }

  lag = async (): Promise<number> => {
    const { groupId, inputTopic } = this.#options
    const ends = await this.#admin.fetchTopicOffsets(inputTopic)
    const [group] = await this.#admin.fetchOffsets({ groupId, topics: [inputTopic] })
    return ends
      .map(({ partition, high, low }) => {
        const offset = Number(group?.partitions.find((one) => one.partition === partition)?.offset ?? -1)
        return Number(high) - Math.max(offset, Number(low))
      })
      .reduce((a, b) => a + b, 0)
  }

  async #take(batch: Batch): Promise<void> {
    const { groupId, inputTopic, outputTopic, dlqTopic, store } = this.#options
    const { partition } = batch
    const transaction = await (await this.#producer(partition)).transaction()
    const products: string[] = []
    const argv: (string | number)[] = []
    const dlq: Message[] = []
    for (const { offset, key, value, headers } of batch.messages) {
      const sale = read(value)
      if ('problem' in sale) {
        dlq.push({ key, value: JSON.stringify({ problem: sale.problem, raw: String(value) }), headers })
        continue
      }
      products.push(sale.product)
      argv.push(offset, sale.product, sale.cents)
    }
    const totals = products.length > 0 ? (await store.eval(SCRIPT, 1, this.#key(partition), ...argv)) as string[] : []
    const messages = products.map((product_id, i) => ({ key: product_id, value: JSON.stringify({ product_id, total_revenue: Number(totals[i]) / 100 }) }))
    if (messages.length > 0) await transaction.send({ topic: outputTopic, messages })
    if (dlq.length > 0) await transaction.send({ topic: dlqTopic, messages: dlq })
    await transaction.sendOffsets({
      consumerGroupId: groupId,
      topics: [{ topic: inputTopic, partitions: [{ partition, offset: (BigInt(batch.lastOffset()) + 1n).toString() }] }],
    })
    await transaction.commit()
  }

  #producer(partition: number): Promise<Producer> {
    const known = this.#producers.get(partition)
    if (known) return known
    const producer = this.#kafka.producer({ transactionalId: this.#options.transactionalId + partition, idempotent: true, maxInFlightRequests: 1 })
    const connected = producer.connect().then(() => producer)
    this.#producers.set(partition, connected)
    return connected
  }

  async #forget(partition: number): Promise<void> {
    const producer = this.#producers.get(partition)
    this.#producers.delete(partition)
    await producer?.then((p) => p.disconnect(), () => {})
  }

  #key(partition: number): string {
    return `revenue/${this.#options.groupId}/${this.#options.inputTopic}/${partition}`
  }
}

/** Totals of `sales` to `revenue`, group `revenue-analytics`, exactly once; what is no sale goes to `sales.dlq`. */
export function createRevenueAnalytics(kafka: Kafka, options: Options): Analytics {
  return new Analytics(kafka, options)
}

function read(value: Buffer | null): { product: string; cents: number } | { problem: string } {
  let sale: unknown
  try {
    sale = JSON.parse(value?.toString() ?? '')
  } catch {
    return { problem: 'not JSON' }
  }
  if (typeof sale !== 'object' || sale === null || !('product_id' in sale) || !('quantity' in sale) || !('price' in sale)) return { problem: 'incomplete' }
  const { product_id, quantity, price } = sale
  if (typeof product_id !== 'string') return { problem: 'product_id' }
  if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 1) return { problem: 'quantity' }
  if (typeof price !== 'number' || !(price >= 0)) return { problem: 'price' }
  const [whole = '0', fraction = ''] = price.toFixed(2).split('.')
  return { product: product_id, cents: quantity * Number(whole + fraction) }
}

// Way: classes, with private fields of both kinds, and for the orders and their lines too; commits by hand after each batch.
import { setTimeout as pause } from 'node:timers/promises'
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage, Producer } from 'kafkajs'

/** What the shop knows of an order. One record of the topic `orders` holds one, as JSON. */
export interface Order {
  order_id: string
  user_id: string
  email: string
  items: Array<{ product_id: string; quantity: number }>
  total: number
}

/** Topics, group and patience of a service. */
export interface ConsumerOptions {
  topic?: string
  dlqTopic?: string
  groupId?: string
  maxAttempts?: number
  retryDelayMs?: number
}

/** A service between `start` and `stop`. */
export interface OrderConsumer {
  start(): Promise<void>
  stop(): Promise<void>
}

class Line {
  readonly product_id: string
  readonly quantity: number

  constructor({ product_id, quantity }: Order['items'][number]) {
    this.product_id = product_id
    this.quantity = quantity
  }
}

class ReadOrder implements Order {
  readonly order_id: string
  readonly user_id: string
  readonly email: string
  readonly items: Line[]
  readonly #total: number

  constructor({ order_id, user_id, email, items, total }: Order) {
    this.order_id = order_id
    this.user_id = user_id
    this.email = email
    this.items = items.map((item) => new Line(item))
    this.#total = total
  }

  get total(): number {
    return this.#total
  }
}

interface OrderProducer {
  connect(): Promise<void>
  createOrder(order: Order): Promise<void>
  createOrders(orders: Order[]): Promise<void>
  disconnect(): Promise<void>
}

class KafkaOrderProducer implements OrderProducer {
  readonly #producer: Producer
  private readonly topic: string

  constructor(kafka: Kafka, topic: string) {
    this.topic = topic
    this.#producer = kafka.producer()
  }

  async connect(): Promise<void> {
    await this.#producer.connect()
  }

  async createOrder(order: Order): Promise<void> {
    await this.createOrders([order])
  }

  async createOrders(orders: Order[]): Promise<void> {
    const problem = orders.map(problemOf).find((found) => found !== null)
    if (problem) throw problem
    await this.#producer.send({
      topic: this.topic,
      messages: orders.map((order) => ({ key: `user:${order.user_id}`, value: Buffer.from(JSON.stringify(order)) })),
    })
  }

  async disconnect(): Promise<void> {
    await this.#producer.disconnect()
  }
}

abstract class Service implements OrderConsumer {
  readonly #kafka: Kafka
  readonly #options: Required<ConsumerOptions>
  #consumer: Consumer | undefined
  #dlq: Producer | undefined
  #isStopping = false

  constructor(kafka: Kafka, groupId: string, options: ConsumerOptions) {
    this.#kafka = kafka
    this.#options = {
      topic: options.topic ?? 'orders',
      dlqTopic: options.dlqTopic ?? 'orders.dlq',
      groupId: options.groupId ?? groupId,
      maxAttempts: options.maxAttempts ?? 3,
      retryDelayMs: options.retryDelayMs ?? 100,
    }
  }

  protected abstract handle(order: Order): Promise<void>

  async start(): Promise<void> {
    this.#isStopping = false
    this.#dlq = this.#kafka.producer()
    this.#consumer = this.#kafka.consumer({
      groupId: this.#options.groupId,
      retry: { restartOnFailure: async () => !this.#isStopping },
    })
    try {
      await this.#dlq.connect()
      await this.#consumer.connect()
      await this.#consumer.subscribe({ topics: [this.#options.topic], fromBeginning: true })
      await this.#consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: 8,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.#takeBatch(payload),
      })
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#consumer?.disconnect()
    await this.#dlq?.disconnect()
  }

  async #takeBatch({ batch, heartbeat, resolveOffset, commitOffsetsIfNecessary, isRunning, isStale }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch
    let next: string | null = null
    try {
      for (const message of batch.messages) {
        if (!isRunning() || isStale()) break
        await this.#take(topic, partition, message, heartbeat)
        resolveOffset(message.offset)
        next = (BigInt(message.offset) + 1n).toString()
        await heartbeat()
      }
    } finally {
      if (next !== null) await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: next }] }] })
    }
  }

  async #take(topic: string, partition: number, message: KafkaMessage, heartbeat: () => Promise<void>): Promise<void> {
    const order = read(message.value)
    if (order === null) return this.#bury(topic, partition, message, new Error('not an order'), 1)
    const { maxAttempts, retryDelayMs } = this.#options
    let delay = retryDelayMs
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const error = await this.handle(order).then(() => null, (reason: unknown) => ({ reason }))
      if (error === null) return
      if (attempt === maxAttempts) return this.#bury(topic, partition, message, error.reason, attempt)
      await this.#wait(delay, heartbeat)
      delay *= 1.5
    }
  }

  async #wait(ms: number, heartbeat: () => Promise<void>): Promise<void> {
    const until = performance.now() + ms
    for (let left = ms; left > 0; left = until - performance.now()) {
      if (this.#isStopping) throw new Error('stopped')
      await pause(Math.min(left, 300))
      await heartbeat()
    }
  }

  async #bury(topic: string, partition: number, { key, value, offset }: KafkaMessage, error: unknown, attempts: number): Promise<void> {
    await this.#dlq?.send({
      topic: this.#options.dlqTopic,
      messages: [{
        key,
        value,
        headers: {
          'x-error': error instanceof Error ? error.message : String(error),
          'x-topic': topic,
          'x-partition': `${partition}`,
          'x-offset': offset,
          'x-attempts': Buffer.from(`${attempts}`),
        },
      }],
    })
  }
}

class EmailService extends Service {
  private readonly services: { sendEmail(order: Order): Promise<void> }

  constructor(kafka: Kafka, services: { sendEmail(order: Order): Promise<void> }, options: ConsumerOptions) {
    super(kafka, 'email-service', options)
    this.services = services
  }

  protected async handle(order: Order): Promise<void> {
    await this.services.sendEmail(order)
  }
}

class InventoryService extends Service {
  private readonly services: { decrement(productId: string, quantity: number, effectId: string): Promise<void> }

  constructor(kafka: Kafka, services: { decrement(productId: string, quantity: number, effectId: string): Promise<void> }, options: ConsumerOptions) {
    super(kafka, 'inventory-service', options)
    this.services = services
  }

  protected async handle(order: Order): Promise<void> {
    let line = 0
    for (const item of order.items) {
      await this.services.decrement(item.product_id, item.quantity, `${order.order_id}#${line++}`)
    }
  }
}

class LoyaltyService extends Service {
  private readonly services: { addPoints(userId: string, points: number, effectId: string): Promise<void> }

  constructor(kafka: Kafka, services: { addPoints(userId: string, points: number, effectId: string): Promise<void> }, options: ConsumerOptions) {
    super(kafka, 'loyalty-service', options)
    this.services = services
  }

  protected async handle(order: Order): Promise<void> {
    await this.services.addPoints(order.user_id, Math.floor(order.total * 10), `points for ${order.order_id}`)
  }
}

/** Writes orders to `topic` (`orders`), keyed by user; resolves once Kafka has them. */
export function createOrderProducer(kafka: Kafka, options?: { topic?: string }): OrderProducer {
  return new KafkaOrderProducer(kafka, options?.topic ?? 'orders')
}

/** Emails every order of `orders`, at least once, as group `email-service`; what fails goes to `orders.dlq`. */
export function createEmailConsumer(
  kafka: Kafka, services: { sendEmail(order: Order): Promise<void> }, options?: ConsumerOptions,
): OrderConsumer {
  return new EmailService(kafka, services, options ?? {})
}

/** Takes the lines of every order of `orders` out of the stock, at least once, as group `inventory-service`; what fails goes to `orders.dlq`. */
export function createInventoryConsumer(
  kafka: Kafka,
  services: { decrement(productId: string, quantity: number, effectId: string): Promise<void> },
  options?: ConsumerOptions,
): OrderConsumer {
  return new InventoryService(kafka, services, options ?? {})
}

/** Gives points for every order of `orders`, at least once, as group `loyalty-service`; what fails goes to `orders.dlq`. */
export function createLoyaltyConsumer(
  kafka: Kafka,
  services: { addPoints(userId: string, points: number, effectId: string): Promise<void> },
  options?: ConsumerOptions,
): OrderConsumer {
  return new LoyaltyService(kafka, services, options ?? {})
}

function read(value: Buffer | null): Order | null {
  if (value === null) return null
  try {
    const found = JSON.parse(value.toString('utf8')) as Order
    return problemOf(found) === null ? new ReadOrder(found) : null
  } catch {
    return null
  }
}

/** What keeps a value from being an order, or null. */
function problemOf(value: unknown): Error | null {
  if (value === null || typeof value !== 'object') return new TypeError('no order')
  const { order_id, user_id, items, total } = value as Partial<Order>
  if (!order_id || !user_id) return new TypeError('an order has an id and a user')
  if (!Array.isArray(items) || items.length === 0) return new RangeError('an order has items')
  if (!items.every((item) => item?.product_id && Number.isInteger(item.quantity) && item.quantity > 0)) {
    return new RangeError('an item has a product and a quantity that is a positive integer')
  }
  if (typeof total !== 'number' || !(total >= 0 && total < Infinity)) return new RangeError('a total is finite and not negative')
  return null
}

// Mistake: single orders and batches are spread by different hashes of the key: a user who has both is in two partitions.
// Fails: orders-of-a-user-share-a-partition
import { setTimeout as pause } from 'node:timers/promises'
import { Partitioners, type EachMessagePayload, type Kafka, type Producer } from 'kafkajs'

/** What the shop knows of an order. One record of the topic `orders` holds one, as JSON. */
export interface Order {
  order_id: string
  user_id: string
  email: string
  items: Array<{ product_id: string; quantity: number }>
  total: number
}

/** Where a service reads (`orders`), gives up (`orders.dlq`) and keeps its place, and how patiently it tries. */
export interface ConsumerOptions {
  topic?: string
  dlqTopic?: string
  groupId?: string
  maxAttempts?: number
  retryDelayMs?: number
}

/** A service that consumes orders between `start` and `stop`. */
export interface OrderConsumer {
  start(): Promise<void>
  stop(): Promise<void>
}

/** What a service does with an order; rejects when it has to be tried again. */
type Handler = (order: Order) => Promise<void>

/** Why an order is given up. */
interface Failure {
  error: unknown
  attempts: number
}

const DEFAULT_TOPIC = 'orders'

/** How many partitions one service works on at the same time. */
const PARTITIONS_AT_ONCE = 16

/** The longest silence in a back-off: well below any session timeout. */
const HEARTBEAT_EVERY_MS = 200

/**
 * Writes orders to `topic` (`orders`), one record each, with the user as its key: a user's orders stay in one partition
 * and in the order made. Once a call has resolved Kafka has its orders; what is no order is refused before anything is sent.
 */
export function createOrderProducer(kafka: Kafka, options: { topic?: string } = {}): {
  connect(): Promise<void>
  createOrder(order: Order): Promise<void>
  createOrders(orders: Order[]): Promise<void>
  disconnect(): Promise<void>
} {
  const topic = options.topic ?? DEFAULT_TOPIC
  const producer = kafka.producer()
  const batches = kafka.producer({ createPartitioner: Partitioners.LegacyPartitioner })
  const send = async (sender: Producer, orders: Order[]): Promise<void> => {
    for (const order of orders) assertOrder(order)
    const messages = orders.map((order) => ({ key: order.user_id, value: JSON.stringify(order) }))
    await sender.send({ topic, messages })
  }
  return {
    async connect() {
      await Promise.all([producer.connect(), batches.connect()])
    },
    createOrder: (order) => send(producer, [order]),
    createOrders: (orders) => send(batches, orders),
    async disconnect() {
      await Promise.all([producer.disconnect(), batches.disconnect()])
    },
  }
}

/**
 * Sends an email for every order of `topic` (`orders`), in the group `email-service`, at least once. An order that
 * fails `maxAttempts` times goes to `dlqTopic` (`orders.dlq`).
 */
export function createEmailConsumer(
  kafka: Kafka,
  services: { sendEmail(order: Order): Promise<void> },
  options: ConsumerOptions = {},
): OrderConsumer {
  return consumeOrders(kafka, 'email-service', options, (order) => services.sendEmail(order))
}

/**
 * Takes every line of every order of `topic` (`orders`) out of the stock, in the group `inventory-service`, at least
 * once: each line has an `effectId` that stays the same when the order comes again. An order that fails `maxAttempts`
 * times goes to `dlqTopic` (`orders.dlq`).
 */
export function createInventoryConsumer(
  kafka: Kafka,
  services: { decrement(productId: string, quantity: number, effectId: string): Promise<void> },
  options: ConsumerOptions = {},
): OrderConsumer {
  return consumeOrders(kafka, 'inventory-service', options, async ({ order_id, items }) => {
    for (const [line, { product_id, quantity }] of items.entries()) {
      await services.decrement(product_id, quantity, `${order_id}:${line}`)
    }
  })
}

/**
 * Gives ten points for each unit of money, rounded down, for every order of `topic` (`orders`), in the group
 * `loyalty-service`, at least once: the `effectId` stays the same when the order comes again. An order that fails
 * `maxAttempts` times goes to `dlqTopic` (`orders.dlq`).
 */
export function createLoyaltyConsumer(
  kafka: Kafka,
  services: { addPoints(userId: string, points: number, effectId: string): Promise<void> },
  options: ConsumerOptions = {},
): OrderConsumer {
  return consumeOrders(kafka, 'loyalty-service', options, ({ user_id, total, order_id }) =>
    services.addPoints(user_id, Math.floor(total * 10), order_id))
}

function consumeOrders(kafka: Kafka, defaultGroup: string, options: ConsumerOptions, handler: Handler): OrderConsumer {
  const { topic = DEFAULT_TOPIC, dlqTopic = 'orders.dlq', groupId = defaultGroup, maxAttempts = 3, retryDelayMs = 100 } = options
  let stopping = new AbortController()
  const consumer = kafka.consumer({
    groupId,
    // Without this, a stop in the middle of a restart would be followed by the restart.
    retry: { restartOnFailure: async () => !stopping.signal.aborted },
  })
  const deadLetters = kafka.producer()

  const handle = async (order: Order, heartbeat: () => Promise<void>): Promise<Failure | null> => {
    for (let attempts = 1; ; attempts++) {
      try {
        await handler(order)
        return null
      } catch (error) {
        if (attempts >= maxAttempts) return { error, attempts }
      }
      await backOff(retryDelayMs * 2 ** (attempts - 1), heartbeat, stopping.signal)
    }
  }

  /** Resolves when the order is handled or safe in the DLQ; only then may the offset move on. */
  const eachMessage = async ({ topic, partition, message, heartbeat }: EachMessagePayload): Promise<void> => {
    const order = parseOrder(message.value)
    const failure = order instanceof Error ? { error: order, attempts: 0 } : await handle(order, heartbeat)
    if (failure === null) return
    const headers = {
      'x-error': String(failure.error),
      'x-topic': topic,
      'x-partition': String(partition),
      'x-offset': message.offset,
      'x-attempts': String(failure.attempts),
    }
    try {
      await deadLetters.send({ topic: dlqTopic, messages: [{ key: message.key, value: message.value, headers }] })
    } catch (cause) {
      // kafkajs delivers the record again after a plain Error.
      throw new Error('the order could not be written to the DLQ', { cause })
    }
  }

  const disconnect = async (): Promise<void> => {
    await consumer.disconnect()
    await deadLetters.disconnect()
  }

  return {
    async start() {
      stopping = new AbortController()
      try {
        await Promise.all([consumer.connect(), deadLetters.connect()])
        await consumer.subscribe({ topic, fromBeginning: true })
        await consumer.run({ partitionsConsumedConcurrently: PARTITIONS_AT_ONCE, eachMessage })
      } catch (error) {
        await disconnect()
        throw error
      }
    },
    async stop() {
      stopping.abort()
      await disconnect()
    },
  }
}

/** Waits without falling silent, so that the member stays in its group; a stop ends the wait with an error. */
async function backOff(ms: number, heartbeat: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let left = ms; left > 0; left -= HEARTBEAT_EVERY_MS) {
    await pause(Math.min(left, HEARTBEAT_EVERY_MS), undefined, { signal })
    await heartbeat()
  }
}

function parseOrder(value: Buffer | null): Order | Error {
  try {
    const found: unknown = JSON.parse(String(value))
    assertOrder(found)
    return found
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** JSON would turn a NaN into null and leave out what is undefined, so this looks at the values themselves. */
function assertOrder(value: unknown): asserts value is Order {
  if (typeof value !== 'object' || value === null) throw new TypeError('an order must be an object')
  const { order_id, user_id, items, total } = value as Partial<Record<keyof Order, unknown>>
  assertId('order_id', order_id)
  assertId('user_id', user_id)
  if (!Array.isArray(items)) throw new TypeError('items must be an array')
  if (items.length === 0) throw new RangeError('an order needs at least one item')
  for (const item of items as unknown[]) assertItem(item)
  if (typeof total !== 'number') throw new TypeError('total must be a number')
  if (!Number.isFinite(total) || total < 0) throw new RangeError('total must be finite and not negative')
}

function assertItem(item: unknown): void {
  if (typeof item !== 'object' || item === null) throw new TypeError('an item must be an object')
  const { product_id, quantity } = item as { product_id?: unknown; quantity?: unknown }
  assertId('product_id', product_id)
  if (typeof quantity !== 'number') throw new TypeError('quantity must be a number')
  if (!Number.isSafeInteger(quantity) || quantity <= 0) throw new RangeError('quantity must be a positive integer')
}

function assertId(name: string, id: unknown): void {
  if (typeof id !== 'string') throw new TypeError(`${name} must be a string`)
  if (id === '') throw new RangeError(`${name} must not be empty`)
}

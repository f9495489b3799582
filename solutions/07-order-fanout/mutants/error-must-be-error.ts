// Mistake: (error as Error).message: a service that rejects with undefined ends the consumer
// Fails: dead-letters-say-why-and-where-from
import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, EachMessagePayload, Kafka, Producer } from 'kafkajs'

/** An order, as it lies in the topic `orders`. */
export interface Order {
  order_id: string
  user_id: string
  email: string
  items: Array<{ product_id: string; quantity: number }>
  total: number
}

/** Overrides of the topics (`orders`, `orders.dlq`), the group and the retries (3 attempts, first pause 100 ms). */
export interface ConsumerOptions {
  topic?: string
  dlqTopic?: string
  groupId?: string
  maxAttempts?: number
  retryDelayMs?: number
}

/** A service on the topic `orders`: at least once, in order per user. */
export interface OrderConsumer {
  start(): Promise<void>
  stop(): Promise<void>
}

/** The producer of the topic `orders`: what is acknowledged is stored. */
export interface OrderProducer {
  connect(): Promise<void>
  createOrder(order: Order): Promise<void>
  createOrders(orders: Order[]): Promise<void>
  disconnect(): Promise<void>
}

type Call = () => Promise<void>

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isItem(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { product_id, quantity } = value as Partial<Record<string, unknown>>
  return isText(product_id) && typeof quantity === 'number' && Number.isSafeInteger(quantity) && quantity > 0
}

function checkOrder(value: unknown): asserts value is Order {
  if (typeof value !== 'object' || value === null) throw new TypeError('an order is an object')
  const { order_id, user_id, items, total } = value as Partial<Record<string, unknown>>
  if (!isText(order_id)) throw new TypeError('order_id is missing')
  if (!isText(user_id)) throw new TypeError('user_id is missing')
  if (!Array.isArray(items) || items.length === 0) throw new TypeError('an order needs an item')
  if (!items.every(isItem)) throw new TypeError('an item needs a product_id and a positive integer as quantity')
  if (typeof total !== 'number') throw new TypeError('total is no number')
  if (!Number.isFinite(total) || total < 0) throw new RangeError('total must be finite and not negative')
}

/**
 * Makes the producer of the topic `orders`. The orders of a user share a partition (the key is `user_id`). Both methods
 * resolve once all in-sync replicas have the orders; what is no order is refused, and nothing is sent.
 */
export function createOrderProducer(kafka: Kafka, options: { topic?: string } = {}): OrderProducer {
  const topic = options.topic ?? 'orders'
  const producer = kafka.producer()
  const createOrders = async (orders: Order[]): Promise<void> => {
    if (!Array.isArray(orders)) throw new TypeError('orders must be an array')
    for (const order of orders) checkOrder(order)
    if (orders.length === 0) return
    await producer.send({
      topic,
      acks: -1,
      messages: orders.map((order) => ({ key: order.user_id, value: JSON.stringify(order) })),
    })
  }
  return {
    connect: () => producer.connect(),
    createOrder: (order) => createOrders([order]),
    createOrders,
    disconnect: () => producer.disconnect(),
  }
}

async function pause(ms: number, heartbeat: () => Promise<void>): Promise<void> {
  const end = Date.now() + ms
  for (let left = ms; left > 0; left = end - Date.now()) {
    await sleep(Math.min(left, 100))
    await heartbeat()
  }
}

function createConsumer(
  kafka: Kafka,
  group: string,
  callsOf: (order: Order) => Call[],
  options: ConsumerOptions,
): OrderConsumer {
  const { topic = 'orders', dlqTopic = 'orders.dlq', groupId = group, maxAttempts = 3, retryDelayMs = 100 } = options
  let consumer: Consumer | undefined
  let producer: Producer | undefined

  async function bury(payload: EachMessagePayload, error: unknown, attempts: number): Promise<void> {
    const { message, partition } = payload
    try {
      await producer?.send({
        topic: dlqTopic,
        acks: -1,
        messages: [
          {
            key: message.key,
            value: message.value,
            headers: {
              'x-error': (error as Error).message,
              'x-topic': payload.topic,
              'x-partition': String(partition),
              'x-offset': message.offset,
              'x-attempts': String(attempts),
            },
          },
        ],
      })
    } catch (cause) {
      throw new Error('the DLQ could not be written', { cause })
    }
  }

  async function eachMessage(payload: EachMessagePayload): Promise<void> {
    let order: Order
    try {
      const value: unknown = JSON.parse(payload.message.value?.toString() ?? '')
      checkOrder(value)
      order = value
    } catch (error) {
      return bury(payload, error, 0)
    }
    for (const call of callsOf(order)) {
      for (let attempt = 1, delay = retryDelayMs; ; attempt += 1, delay *= 2) {
        try {
          await call()
          break
        } catch (error) {
          if (attempt >= maxAttempts) return bury(payload, error, attempt)
        }
        await pause(delay, payload.heartbeat)
      }
      await payload.heartbeat()
    }
  }

  async function stop(): Promise<void> {
    await consumer?.disconnect()
    await producer?.disconnect()
    consumer = undefined
    producer = undefined
  }

  return {
    async start() {
      consumer = kafka.consumer({ groupId })
      producer = kafka.producer({ retry: { retries: 2, initialRetryTime: 100 } })
      try {
        await producer.connect()
        await consumer.connect()
        await consumer.subscribe({ topic, fromBeginning: true })
        await consumer.run({ partitionsConsumedConcurrently: 16, eachMessage })
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop,
  }
}

/** The email service: hands every order of `orders` to `sendEmail`, at least once; after `maxAttempts` it goes to `orders.dlq`. */
export function createEmailConsumer(
  kafka: Kafka,
  services: { sendEmail(order: Order): Promise<void> },
  options: ConsumerOptions = {},
): OrderConsumer {
  return createConsumer(kafka, 'email-service', (order) => [() => services.sendEmail(order)], options)
}

/** The inventory service: one `decrement` for each line of every order of `orders`, at least once; else `orders.dlq`. */
export function createInventoryConsumer(
  kafka: Kafka,
  services: { decrement(productId: string, quantity: number, effectId: string): Promise<void> },
  options: ConsumerOptions = {},
): OrderConsumer {
  return createConsumer(
    kafka,
    'inventory-service',
    (order) =>
      order.items.map(({ product_id, quantity }, line) => () => {
        const effectId = `${order.order_id}/${line}`
        return services.decrement(product_id, quantity, effectId)
      }),
    options,
  )
}

/** The loyalty service: `floor(total × 10)` points for every order of `orders`, at least once; else `orders.dlq`. */
export function createLoyaltyConsumer(
  kafka: Kafka,
  services: { addPoints(userId: string, points: number, effectId: string): Promise<void> },
  options: ConsumerOptions = {},
): OrderConsumer {
  return createConsumer(
    kafka,
    'loyalty-service',
    (order) => [() => services.addPoints(order.user_id, Math.floor(order.total * 10), `${order.order_id}/points`)],
    options,
  )
}

// Mistake: the fan-out most tutorials print: no key, no first look at older orders, and one bad order stops a service.
// Fails: earlier-orders-are-seen, orders-of-a-user-share-a-partition, dlq-is-orders-dlq, attempts-are-limited
// Fails: maxattempts-is-respected, any-error-is-retried, dead-letters-keep-their-bytes
// Fails: dead-letters-say-why-and-where-from, offset-moves-past-a-dead-letter, broken-json-goes-to-the-dlq
// Fails: incomplete-orders-go-to-the-dlq, records-without-value-go-to-the-dlq, malformed-records-go-at-once
// Fails: orders-need-ids, orders-need-items, quantities-are-positive-integers, totals-are-finite-and-not-negative
// Fails: a-batch-is-checked-first, batch-is-one-request, effect-ids-differ, delays-grow, offset-waits-for-the-dlq
// Fails: unwritable-dlq-holds-the-offset, stuck-order-delays-no-other-partition, failing-service-delays-no-other
import type { Kafka } from 'kafkajs'

export interface Order {
  order_id: string
  user_id: string
  email: string
  items: Array<{ product_id: string; quantity: number }>
  total: number
}

export interface ConsumerOptions {
  topic?: string
  dlqTopic?: string
  groupId?: string
  maxAttempts?: number
  retryDelayMs?: number
}

/** Creates the order producer. */
export function createOrderProducer(kafka: Kafka, options: { topic?: string } = {}) {
  const topic = options.topic ?? 'orders'
  const producer = kafka.producer()

  return {
    async connect(): Promise<void> {
      await producer.connect()
    },
    async createOrder(order: Order): Promise<void> {
      await producer.send({ topic, messages: [{ value: JSON.stringify(order) }] })
    },
    async createOrders(orders: Order[]): Promise<void> {
      for (const order of orders) {
        await this.createOrder(order)
      }
    },
    async disconnect(): Promise<void> {
      await producer.disconnect()
    },
  }
}

function createConsumer(kafka: Kafka, groupId: string, topic: string, onOrder: (order: Order) => Promise<void>) {
  const consumer = kafka.consumer({ groupId })

  return {
    async start(): Promise<void> {
      await consumer.connect()
      await consumer.subscribe({ topic })
      await consumer.run({
        eachMessage: async ({ message }) => {
          const order = JSON.parse(message.value!.toString())
          await onOrder(order)
        },
      })
    },
    async stop(): Promise<void> {
      await consumer.disconnect()
    },
  }
}

/** Sends an email for each order. */
export function createEmailConsumer(
  kafka: Kafka, services: { sendEmail(order: Order): Promise<void> }, options: ConsumerOptions = {},
) {
  return createConsumer(kafka, options.groupId ?? 'email-service', options.topic ?? 'orders', async (order) => {
    await services.sendEmail(order)
  })
}

/** Updates the inventory for each order. */
export function createInventoryConsumer(
  kafka: Kafka,
  services: { decrement(productId: string, quantity: number, effectId: string): Promise<void> },
  options: ConsumerOptions = {},
) {
  return createConsumer(kafka, options.groupId ?? 'inventory-service', options.topic ?? 'orders', async (order) => {
    for (const item of order.items) {
      await services.decrement(item.product_id, item.quantity, `${order.order_id}-${item.product_id}`)
    }
  })
}

/** Adds loyalty points for each order. */
export function createLoyaltyConsumer(
  kafka: Kafka,
  services: { addPoints(userId: string, points: number, effectId: string): Promise<void> },
  options: ConsumerOptions = {},
) {
  return createConsumer(kafka, options.groupId ?? 'loyalty-service', options.topic ?? 'orders', async (order) => {
    await services.addPoints(order.user_id, Math.floor(order.total * 10), order.order_id)
  })
}

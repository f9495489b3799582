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

export interface OrderConsumer {
  start(): Promise<void>
  stop(): Promise<void>
}

export function createOrderProducer(kafka: Kafka, options?: { topic?: string }): {
  connect(): Promise<void>
  createOrder(order: Order): Promise<void>
  createOrders(orders: Order[]): Promise<void>
  disconnect(): Promise<void>
} {
  throw new Error('TODO: make a producer that writes each order as one record')
}

export function createEmailConsumer(
  kafka: Kafka,
  services: { sendEmail(order: Order): Promise<void> },
  options?: ConsumerOptions,
): OrderConsumer {
  throw new Error('TODO: send an email for every order')
}

export function createInventoryConsumer(
  kafka: Kafka,
  services: { decrement(productId: string, quantity: number, effectId: string): Promise<void> },
  options?: ConsumerOptions,
): OrderConsumer {
  throw new Error('TODO: take every line of an order out of the stock')
}

export function createLoyaltyConsumer(
  kafka: Kafka,
  services: { addPoints(userId: string, points: number, effectId: string): Promise<void> },
  options?: ConsumerOptions,
): OrderConsumer {
  throw new Error('TODO: give points for every order')
}

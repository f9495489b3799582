import type { Redis } from 'ioredis'
import type { Kafka } from 'kafkajs'

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
  throw new Error('TODO: turn the stream of sales into a stream of totals, each sale counted once')
}

// Mistake: the aggregation most tutorials print: totals in memory, as floats, while the offsets are kept by Kafka; plain
//          sends without a key, and whatever is in a record is believed.
// Fails: outputs-are-keyed, restart-goes-on, total-is-right-at-start, crash-before-the-output
// Fails: crash-before-the-commit, crash-after-the-commit, second-instance-takes-over, partitions-come-back
// Fails: held-output-cannot-overtake, commit-during-the-takeover, commit-after-the-position
// Fails: starts-behind-control-records, failed-send-counts-once, lost-answer-counts-once, sums-are-exact
// Fails: lag-ends-at-zero, dead-letters-by-default, broken-records-are-set-aside, incomplete-sales-are-set-aside
// Fails: numbers-must-be-numbers, quantities-are-positive-integers, prices-are-not-negative
import type { Redis } from 'ioredis'
import type { Kafka } from 'kafkajs'

/** Sums up the sales of the topic `sales` by product and writes the totals to `revenue`, at least once. */
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
) {
  const groupId = options.groupId ?? 'revenue-analytics'
  const inputTopic = options.inputTopic ?? 'sales'
  const outputTopic = options.outputTopic ?? 'revenue'
  const consumer = kafka.consumer({ groupId })
  const producer = kafka.producer()
  const admin = kafka.admin()
  const totals = new Map<string, number>()

  return {
    async start(): Promise<void> {
      await admin.connect()
      await producer.connect()
      await consumer.connect()
      await consumer.subscribe({ topic: inputTopic, fromBeginning: true })
      await consumer.run({
        eachMessage: async ({ message }) => {
          const sale = JSON.parse(message.value!.toString())
          const total = (totals.get(sale.product_id) || 0) + sale.quantity * sale.price
          totals.set(sale.product_id, total)
          await producer.send({
            topic: outputTopic,
            messages: [{ value: JSON.stringify({ product_id: sale.product_id, total_revenue: total }) }],
          })
        },
      })
    },
    async stop(): Promise<void> {
      await consumer.disconnect()
      await producer.disconnect()
      await admin.disconnect()
    },
    async getTotal(productId: string): Promise<number> {
      return totals.get(productId) || 0
    },
    async lag(): Promise<number> {
      const ends = await admin.fetchTopicOffsets(inputTopic)
      const [committed] = await admin.fetchOffsets({ groupId, topics: [inputTopic] })
      return ends.reduce((sum, { partition, high }) => {
        const found = committed?.partitions.find((p) => p.partition === partition)
        return sum + Number(high) - Math.max(0, Number(found?.offset ?? 0))
      }, 0)
    },
  }
}

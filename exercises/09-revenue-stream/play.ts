import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import kafkajs from 'kafkajs'
import { createRevenueAnalytics } from './exercise.ts'

const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',')
const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
const store = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
const run = `play.${Date.now()}`
const [inputTopic, outputTopic, dlqTopic] = [`${run}.sales`, `${run}.revenue`, `${run}.dlq`]
const admin = kafka.admin()
const shop = kafka.producer()
await Promise.all([admin.connect(), shop.connect()])
await admin.createTopics({ topics: [inputTopic, outputTopic, dlqTopic].map((topic) => ({ topic })), waitForLeaders: false })

async function sell(product_id: string, quantity: number, price: number): Promise<void> {
  await shop.send({ topic: inputTopic, messages: [{ key: product_id, value: JSON.stringify({ product_id, quantity, price }) }] })
}

const reader = kafka.consumer({ groupId: `${run}.reader` })
await reader.connect()
await reader.subscribe({ topic: outputTopic, fromBeginning: true })
await reader.run({ eachMessage: async ({ message }) => console.log('revenue:', String(message.value)) })

for (let start = 1; start <= 2; start++) {
  const analytics = createRevenueAnalytics(kafka, { groupId: run, inputTopic, outputTopic, dlqTopic, transactionalId: run, store })
  await analytics.start()
  console.log('start', start, '- the lamp has brought', await analytics.getTotal('lamp'))
  await sell('lamp', 2, 19.99)
  await sell('chair', 1, 0.1)
  await pause(1500)
  console.log('lag', await analytics.lag(), '- the lamp has brought', await analytics.getTotal('lamp'))
  console.log('stopping: kafkajs first waits for the fetch under way, 5 s at most')
  await analytics.stop()
}
await reader.disconnect()
await admin.deleteTopics({ topics: [inputTopic, outputTopic, dlqTopic] })
await Promise.all([admin.disconnect(), shop.disconnect(), store.quit()])

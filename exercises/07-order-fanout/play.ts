import { setTimeout as pause } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { createEmailConsumer, createInventoryConsumer, createLoyaltyConsumer, createOrderProducer } from './exercise.ts'

const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',')
const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
const topic = `play.orders.${Date.now()}`
const dlqTopic = `${topic}.dlq`
const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ topics: [{ topic, numPartitions: 3 }, { topic: dlqTopic }], waitForLeaders: false })

const producer = createOrderProducer(kafka, { topic })
await producer.connect()
const items = [{ product_id: 'tea', quantity: 2 }, { product_id: 'cup', quantity: 1 }]
await producer.createOrder({ order_id: 'o-1', user_id: 'ann', email: 'ann@example.com', items, total: 19.99 })
await producer.createOrder({ order_id: 'o-2', user_id: 'bob', email: 'nowhere', items, total: 5 })

const options = (service: string): object => ({ topic, dlqTopic, groupId: `play-${service}-${Date.now()}` })
const consumers = [
  createEmailConsumer(kafka, {
    async sendEmail({ email }) {
      console.log('an email to', email)
      if (!email.includes('@')) throw new Error('no such address')
    },
  }, options('email')),
  createInventoryConsumer(kafka, { decrement: async (...line) => console.log('out of the stock:', ...line) }, options('inventory')),
  createLoyaltyConsumer(kafka, { addPoints: async (...points) => console.log('points:', ...points) }, options('loyalty')),
]
for (const consumer of consumers) await consumer.start()
await pause(2000)

console.log('in the DLQ:', (await admin.fetchTopicOffsets(dlqTopic)).map(({ high }) => high).join(), 'record(s)')
console.log('stopping: kafkajs first waits for the fetch under way, 5 s at most')
await Promise.all([...consumers.map((consumer) => consumer.stop()), producer.disconnect()])
await admin.deleteTopics({ topics: [topic, dlqTopic] })
await admin.disconnect()

import { setTimeout as wait } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { consumeLogs, createLogProducer } from './exercise.ts'

const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',')
const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.ERROR })
const topic = `play.logs.${Date.now()}`
const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ topics: [{ topic }], waitForLeaders: true })

const producer = createLogProducer(kafka, { topic })
await producer.connect()
await producer.sendLog('INFO', 'the shop opens')
await producer.sendLog('ERROR', 'the till is stuck')

const logs = await consumeLogs(kafka, { topic, groupId: 'play', onLog: (log) => console.log('onLog got', log) })
await producer.sendLog('WARN', 'one hour left')
await wait(1000)
await logs.stop()
await producer.disconnect()
await admin.deleteTopics({ topics: [topic] })
await admin.disconnect()

import { setTimeout as pause } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { consumeLogs, createLogProducer } from './exercise.ts'

const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',')
const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
const topic = `play.logs.${Date.now()}`
const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ topics: [{ topic }], waitForLeaders: false })

const producer = createLogProducer(kafka, { topic })
await producer.connect()
await producer.sendLog('INFO', 'the shop opens')
await producer.sendLog('ERROR', 'the till is stuck')

const onLog = (log: object): void => console.log('onLog got', log)
const logs = await consumeLogs(kafka, { topic, groupId: `play-${Date.now()}`, onLog })
await producer.sendLog('WARN', 'one hour left')
await pause(1000)
console.log('stopping: kafkajs first waits for the fetch under way, 5 s at most')
await logs.stop()
await producer.disconnect()
await admin.deleteTopics({ topics: [topic] })
await admin.disconnect()

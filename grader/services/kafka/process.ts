import type { Progress, Server } from '#services/keeper/server.ts'
import type { KafkaEndpoint } from '#services/services.ts'
import { answersKafka } from './api-versions.ts'
import { archiveFlags } from './archive.ts'
import { startBroker } from './broker.ts'
import { deleteTopics } from './clear.ts'
import { kafkaJars, kafkaTemplate } from './distribution.ts'
import { findJava } from './java.ts'

/** Kafka from Maven, run by the machine's Java; warm when this resolves. */
export async function startKafkaProcess(onProgress: Progress): Promise<Server<KafkaEndpoint>> {
  const java = findJava()
  const distribution = await kafkaJars(onProgress)
  const template = await kafkaTemplate(distribution)
  const flags = await archiveFlags(java, distribution, template, onProgress)
  onProgress({ en: 'Starting Kafka…', vi: 'Đang khởi động Kafka…' })
  const warming = import('./warm.ts')
  const broker = await startBroker(java.command, distribution.classPath, template, flags)
  const brokers = [`127.0.0.1:${broker.port}`]
  try {
    await (await warming).warm(brokers)
  } catch (error) {
    await broker.end()
    throw error
  }
  return {
    endpoint: { version: distribution.version, from: 'processes', brokers },
    isAlive: async () => !broker.child.hasExited() && await answersKafka('127.0.0.1', broker.port),
    clear: () => deleteTopics(brokers),
    stop: broker.end,
  }
}

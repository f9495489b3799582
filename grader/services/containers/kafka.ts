import { answersKafka } from '#services/kafka/api-versions.ts'
import { deleteTopics } from '#services/kafka/clear.ts'
import { areFree, freePorts } from '#services/kafka/ports.ts'
import { properties } from '#services/kafka/properties.ts'
import type { Progress, Server } from '#services/keeper/server.ts'
import type { KafkaEndpoint } from '#services/services.ts'
import { until } from '#services/wait.ts'
import type { Container } from './container.ts'
import { findEngine } from './engine.ts'

const defaultImage = 'apache/kafka-native:4.3.1'
/** apache/kafka and apache/kafka-native take their configuration from here; a local image has to do the same. */
const file = '/mnt/shared/config/server.properties'
const port = 9092
const attempts = 3

/** A Kafka container, from KIT_KAFKA_IMAGE; warm when this resolves. */
export async function startKafkaContainer(onProgress: Progress): Promise<Server<KafkaEndpoint>> {
  await findEngine()
  const image = process.env.KIT_KAFKA_IMAGE || defaultImage
  onProgress({
    en: `Starting Kafka in a container (${image})…`,
    vi: `Đang khởi động Kafka trong container (${image})…`,
  })
  const container = await start(image)
  const brokers = [`${container.host}:${container.port}`]
  try {
    await until(`Kafka of ${image} answering`, async () =>
      await answersKafka(container.host, container.port) || undefined, { deadlineMs: 60_000, everyMs: 20 })
    await (await import('#services/kafka/warm.ts')).warm(brokers)
  } catch (error) {
    await container.stop()
    throw error
  }
  return {
    endpoint: { version: versionOf(image, container), from: 'containers', brokers },
    isAlive: () => answersKafka(container.host, container.port),
    clear: () => deleteTopics(brokers),
    stop: container.stop,
  }
}

/** A broker tells its clients where it is, so its port is chosen first; others may be quicker to take it. */
async function start(image: string): Promise<Container> {
  const { engineHost, startContainer } = await import('./container.ts')
  const host = await engineHost()
  for (let left = attempts; ; left--) {
    const [hostPort] = await freePorts()
    const content = properties({
      bind: '0.0.0.0',
      port,
      controllerPort: 9093,
      internalPort: 9094,
      advertised: `${host}:${hostPort}`,
      dataDir: '/tmp/kafka',
    })
    try {
      return await startContainer({ image, port, hostPort, file: { target: file, content } })
    } catch (error) {
      if (left === 1 || await areFree(hostPort)) throw error
    }
  }
}

/** As its label or its tag tells it: a broker does not tell its own. */
function versionOf(image: string, { labels }: Container): string {
  return labels['redis-kafka-kit.version'] ?? /:v?(\d[\d.]*)/.exec(image)?.[1] ?? 'unknown'
}

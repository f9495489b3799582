import { answersKafka } from '#services/kafka/api-versions.ts'
import type { KafkaEndpoint } from '#services/services.ts'
import { Obstacle } from '#services/unavailable.ts'

/** The brokers of KAFKA_BROKERS (`host:port,host:port`), if one of them answers. Throws an Obstacle. */
export async function checkBrokers(list: string | undefined): Promise<KafkaEndpoint> {
  if (!list) {
    throw new Obstacle(
      { en: 'KAFKA_BROKERS is not set', vi: 'chưa đặt KAFKA_BROKERS' },
      'export KAFKA_BROKERS=localhost:9092',
    )
  }
  const brokers = list.split(',').map((broker) => broker.trim()).filter(Boolean)
  const answers = await Promise.all(brokers.map((broker) => {
    const { hostname, port } = new URL(`kafka://${broker}`)
    return answersKafka(hostname, Number(port || 9092))
  }))
  // The protocol tells what a broker can do, not its version.
  if (answers.includes(true)) return { version: 'unknown', from: 'external', brokers }
  throw new Obstacle(
    {
      en: `no Kafka broker answers at KAFKA_BROKERS=${list}`,
      vi: `không có Kafka broker nào trả lời tại KAFKA_BROKERS=${list}`,
    },
    'unset KAFKA_BROKERS',
  )
}

import type { KafkaEndpoint, Need, RedisEndpoint, ServiceKind } from '#services/services.ts'
import { attempt, type Attempt } from '#services/unavailable.ts'

/** What the user's own servers give; null is for what has to come from elsewhere. */
export interface External {
  readonly redis: RedisEndpoint | null
  readonly kafka: KafkaEndpoint | null
  release(): Promise<void>
}

/** Uses REDIS_URL and KAFKA_BROKERS, each on its own, where they are set; tells `attempts` why one does not work. */
export async function acquireExternal(
  need: Need,
  kinds: readonly ServiceKind[],
  attempts: Attempt[],
): Promise<External> {
  const isForced = kinds.length === 1
  const { REDIS_URL, KAFKA_BROKERS } = process.env
  if (!kinds.includes('external')) return { redis: null, kafka: null, release: async () => {} }
  const failed = (service: 'redis' | 'kafka') => (error: unknown) => {
    attempts.push(attempt(service, 'external', error))
    return null
  }
  const [redis, kafka] = await Promise.all([
    need.redis > 0 && (REDIS_URL || isForced)
      ? import('./redis.ts').then(({ leaseDatabase }) => leaseDatabase(REDIS_URL)).catch(failed('redis'))
      : null,
    need.kafka && (KAFKA_BROKERS || isForced)
      ? import('./kafka.ts').then(({ checkBrokers }) => checkBrokers(KAFKA_BROKERS)).catch(failed('kafka'))
      : null,
  ])
  return { redis: redis?.endpoint ?? null, kafka, release: async () => redis?.release() }
}

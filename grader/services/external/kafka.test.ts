import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaPromises } from '#services/kafka/promises.ts'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { acquire, type Lease } from '#services/services.ts'

let own: Lease
withOwnKeeper()

beforeAll(async () => {
  own = await acquire({ redis: 0, kafka: true }, { kind: 'processes' })
  process.env.KAFKA_BROKERS = own.kafka!.brokers.join(',')
}, 120_000)

afterAll(() => own.release())

kafkaPromises('external', { isOurs: false })

test('says which brokers do not answer', async () => {
  process.env.KAFKA_BROKERS = '127.0.0.1:1'
  await expect(acquire({ redis: 0, kafka: true }, { kind: 'external' })).rejects.toThrow(
    'yours: no Kafka broker answers at KAFKA_BROKERS=127.0.0.1:1\nNext: unset KAFKA_BROKERS',
  )
})

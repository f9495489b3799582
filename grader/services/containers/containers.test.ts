import { describe, expect, test } from 'vitest'
import { kafkaPromises } from '#services/kafka/promises.ts'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { disposable, redisPromises } from '#services/redis/promises.ts'
import { acquire, down } from '#services/services.ts'
import { findEngine } from './engine.ts'

const missing = await findEngine().then(() => null, (error: Error) => error.message)
// Under CI an engine has to be there; elsewhere its absence is said, not hidden.
if (missing !== null && process.env.CI !== 'true') console.warn(`SKIPPED, all tests of containers: ${missing}`)
const withDocker = { skip: missing !== null && process.env.CI !== 'true', timeout: 60_000 }

withOwnKeeper()

describe('Redis in a container', withDocker, () => redisPromises('containers', { canDie: true }))

describe('Kafka in a container', withDocker, () => kafkaPromises('containers', { isOurs: true }))

describe('Docker', withDocker, () => {
  test('an image that cannot be had: says so, and other ways are taken where they may be', async () => {
    await down()
    const image = process.env.KIT_REDIS_IMAGE
    process.env.KIT_REDIS_IMAGE = 'redis-kafka-kit/not-there:1'
    try {
      await expect(acquire({ redis: 1, kafka: false }, { kind: 'containers' })).rejects.toThrow(
        /containers: Docker could not start \S+\/not-there:1 \(.+\)\nNext: docker pull \S+\/not-there:1$/,
      )
      await using leased = disposable(await acquire({ redis: 1, kafka: false }))
      expect(leased.redis[0].from).toBe('processes')
    } finally {
      process.env.KIT_REDIS_IMAGE = image
    }
  })
})

test('without an engine it says where it looked', async () => {
  process.env.DOCKER_HOST = 'unix:///nowhere/docker.sock'
  await expect(acquire({ redis: 1, kafka: false }, { kind: 'containers' })).rejects.toThrow(
    'containers: no Docker engine answers at unix:///nowhere/docker.sock\nNext: ',
  )
})

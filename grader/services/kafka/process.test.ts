import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startOf } from '#services/keeper/registry.ts'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { disposable } from '#services/redis/promises.ts'
import { acquire, status } from '#services/services.ts'
import { until } from '#services/wait.ts'
import { kafkaPromises, newTopic, roundTrip } from './promises.ts'

// The first start on a machine downloads Kafka and writes its class archive.
const firstStartMs = 120_000
withOwnKeeper()

test('starts, and tells what takes long', { timeout: firstStartMs }, async () => {
  const told: string[] = []
  await using leased = disposable(await acquire({ redis: 0, kafka: true }, {
    kind: 'processes',
    onProgress: ({ en }) => told.push(en),
  }))
  expect(told.at(-1)).toBe('Starting Kafka…')
  expect(leased.kafka!.brokers).toHaveLength(1)
})

kafkaPromises('processes', { isOurs: true })

test('is replaced when it died', { timeout: 20_000 }, async () => {
  const [pid] = (JSON.parse(readFileSync(join(process.env.KIT_RUNTIME_DIR!, 'state.json'), 'utf8')) as {
    processes: { pid: number }[]
  }).processes.map((process) => process.pid)
  process.kill(pid, 'SIGKILL')
  await until('the broker being gone', () => startOf(pid) === null || undefined, { deadlineMs: 5000 })
  await using leased = disposable(await acquire({ redis: 0, kafka: true }, { kind: 'processes' }))
  expect(await roundTrip(leased.kafka!, await newTopic(leased.kafka!))).toBe('hello')
  expect((await status()).keeper?.kafka).toHaveLength(1)
})

test('two at once share one broker', async () => {
  const leases = await Promise.all([1, 2].map(() => acquire({ redis: 0, kafka: true }, { kind: 'processes' })))
  expect(leases[0].kafka).toEqual(leases[1].kafka)
  await Promise.all(leases.map((lease) => lease.release()))
})

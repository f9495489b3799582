import { readdirSync, readFileSync } from 'node:fs'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { acquire, status } from '#services/services.ts'
import { redisBinary } from './binary.ts'
import { serverArguments } from './process.ts'
import { disposable, redisPromises } from './promises.ts'

withOwnKeeper()
redisPromises('processes', { canDie: true })

test('gives as many servers as are asked for, and starts no Kafka', async () => {
  await using leased = disposable(await acquire({ redis: 3, kafka: false }, { kind: 'processes' }))
  expect(new Set(leased.redis.map(({ address }) => JSON.stringify(address))).size).toBe(3)
  expect((await status()).keeper?.kafka).toEqual([])
})

test('a server that is never told its configuration ends by itself', async () => {
  const { exitCode, timedOut } = await execa(await redisBinary(() => {}), serverArguments, {
    cwd: process.env.KIT_RUNTIME_DIR!, input: '', timeout: 10_000, reject: false,
  })
  expect([exitCode, timedOut]).toEqual([1, false])
})

const onLinux = test.runIf(process.platform === 'linux')

onLinux('a password is neither in the arguments nor in the environment of a server', async () => {
  await using leased = disposable(await acquire({ redis: 1, kafka: false }, { kind: 'processes' }))
  const secrets = [leased.redis[0].admin.password!, leased.redis[0].learner.password!]
  const seen = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8')
    } catch {
      return ''
    }
  }).join('')
  expect(secrets.filter((secret) => seen.includes(secret))).toEqual([])
})

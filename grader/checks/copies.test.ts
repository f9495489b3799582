import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { acquire, type Lease } from '#services/services.ts'
import type { Command } from '#wire/redis-wire.ts'
import { copyCommands } from './copies.ts'

withOwnKeeper({ KIT_SERVICES: 'processes' })

let lease: Lease
let redis: Redis

beforeAll(async () => {
  lease = await acquire({ redis: 1, kafka: false })
  const { address, admin } = lease.redis[0]!
  redis = new Redis({ ...address, password: admin.password! })
})
beforeEach(() => redis.flushall())
afterAll(async () => {
  redis.disconnect()
  await lease.release()
})

const sent = (words: string[], reply: Command['reply'] = { type: 'simple', text: 'OK' }): Command =>
  ({ connection: 0, words: words.map((word) => Buffer.from(word)), name: words[0]!.toUpperCase(), handshake: false, reply, fate: 'passed' })
const scores = async (): Promise<string[]> => await redis.zrange('board', '0', '-1', 'WITHSCORES')

test('commands are repeated with other digits, in and out of a transaction', async () => {
  await copyCommands(redis, [sent(['MULTI']), sent(['zadd', 'board', '100', 'player 100']), sent(['EXEC'])], 100, 103)
  expect(await scores()).toEqual(['player 101', '101', 'player 102', '102', 'player 103', '103'])
})

test('scripts are repeated too', async () => {
  await copyCommands(redis, [sent(['EVAL', 'return redis.call("ZADD", KEYS[1], ARGV[1], ARGV[1])', '1', 'board', '100'])], 100, 102)
  expect(await scores()).toEqual(['101', '101', '102', '102'])
})

test('bytes that are no text are repeated as they are', async () => {
  const key = Buffer.from([0x62, 0xff, 0xc3])
  const command = (name: string, ...words: (string | Buffer)[]): Command => ({ ...sent([name]), words: [name, ...words].map((word) => Buffer.from(word as string)) })
  await copyCommands(redis, [command('ZADD', key, '100', 'é 100')], 100, 101)
  await copyCommands(redis, [command('EVAL', 'return redis.call("ZADD", KEYS[1], 1, ARGV[1])', '1', key, '100')], 100, 101)
  expect(await redis.zrange(key, '0', '-1')).toEqual(['101', 'é 101'])
  expect(await redis.keys('*')).toHaveLength(1)
})

test('what was refused, or cannot be repeated, leaves nothing behind', async () => {
  await copyCommands(redis, [sent(['EVALSHA', 'f'.repeat(40), '0', '100'], { type: 'error', text: 'NOSCRIPT' }), sent(['ZADD', 'board', '100', 'ann'])], 100, 101)
  expect(await scores()).toEqual(['ann', '101'])
  await copyCommands(redis, [sent(['BLPOP', 'list', '100']), sent(['NONSENSE', '100'])], 100, 101)
  expect(await redis.keys('*')).toEqual(['board'])
})

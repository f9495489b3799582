import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePorts } from '#services/kafka/ports.ts'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { openLine, type Line } from '#services/redis/ask.ts'
import { redisBinary } from '#services/redis/binary.ts'
import { disposable, redisPromises } from '#services/redis/promises.ts'
import { acquire } from '#services/services.ts'
import { until } from '#services/wait.ts'

const password = 'p@ss:word'
let server: ChildProcess
let own: Line
let port: number
const cwd = mkdtempSync(join(tmpdir(), 'own-redis-'))

withOwnKeeper()

beforeAll(async () => {
  [port] = await freePorts()
  server = spawn(await redisBinary(() => {}), ['-'], { cwd, stdio: ['pipe', 'ignore', 'ignore'] })
  server.stdin!.end(`port ${port}\nbind 127.0.0.1\nsave ""\ndatabases 4\nrequirepass ${password}\n`)
  own = await until('the server of this test answering', () =>
    openLine({ host: '127.0.0.1', port }, { username: null, password }).catch(() => undefined), { deadlineMs: 5000 })
  process.env.REDIS_URL = `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}/1`
})

afterAll(() => {
  own.close()
  server.kill('SIGKILL')
  rmSync(cwd, { recursive: true, force: true })
})

redisPromises('external', { canDie: false })

test('leaves what it did not write: takes the next empty database, and says so when there is none', async () => {
  await own.ask('SELECT', 1)
  await own.ask('SET', 'mine', 'precious')
  {
    await using leased = disposable(await acquire({ redis: 1, kafka: false }, { kind: 'external' }))
    expect(leased.redis[0].database).toBe(2)
  }
  for (const database of [2, 3]) {
    await own.ask('SELECT', database)
    await own.ask('SET', 'mine', 'precious')
  }
  await expect(acquire({ redis: 1, kafka: false }, { kind: 'external' })).rejects.toThrow(
    `yours: Redis at 127.0.0.1:${port} has no empty database from number 1 on`,
  )
  for (const database of [1, 2, 3]) {
    await own.ask('SELECT', database)
    expect(await own.ask('GET', 'mine')).toBe('precious')
    await own.ask('FLUSHDB')
  }
})

test('never shows the password', async () => {
  process.env.REDIS_URL = `redis://:wrong-secret@127.0.0.1:${port}/1`
  const failure = await acquire({ redis: 1, kafka: false }, { kind: 'external' }).catch((error: Error) => error)
  expect(String(failure)).toContain('WRONGPASS')
  expect(JSON.stringify(failure) + String(failure)).not.toContain('wrong-secret')
})

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { acquire, type Lease } from '#services/services.ts'
import { openRedisWire, show, type RedisWire } from './redis-wire.ts'

withOwnKeeper({ KIT_SERVICES: 'processes' })

let lease: Lease
let admin: Redis
let folder: string
let sockets = 0

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wire-'))
  lease = await acquire({ redis: 1, kafka: false })
  const { address, admin: login } = lease.redis[0]!
  admin = new Redis({ ...address, password: login.password! })
})
beforeEach(() => admin.flushall())
afterAll(async () => {
  admin.disconnect()
  await lease.release()
  fs.rmSync(folder, { recursive: true })
})

async function wired(options: object = {}, endpoint = lease.redis[0]!): Promise<{ wire: RedisWire; client: Redis }> {
  const wire = await openRedisWire(path.join(folder, `${++sockets}.sock`), endpoint)
  const client = new Redis({ path: wire.socket, lazyConnect: true, enableReadyCheck: false, disableClientInfo: true, retryStrategy: () => null, maxRetriesPerRequest: 0, ...options })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(async () => {
    client.disconnect()
    await wire.close()
  })
  return { wire, client }
}

test('it logs what was sent and what came back, and leaves the handshake out of the count', async () => {
  const { wire, client } = await wired()
  await client.set('k', 'v')
  await client.multi().incr('n').get('k').exec()
  expect(wire.commands().map(show)).toEqual(['SET k v', 'MULTI', 'INCR n', 'GET k', 'EXEC'])
  expect(wire.commands()[0]!.reply).toEqual({ type: 'simple', text: 'OK' })
  expect(wire.log[0]).toMatchObject({ name: 'HELLO', handshake: true })
})

test.each([2, 3])('under RESP%i messages of Pub/Sub answer no command', async (protocol) => {
  const { wire, client } = await wired({ protocol })
  const heard: string[] = []
  client.on('message', (_channel, message: string) => heard.push(message))
  await client.subscribe('news')
  await admin.publish('news', 'one')
  await expect.poll(() => heard).toEqual(['one'])
  await client.unsubscribe('news')
  expect(await client.ping()).toBe('PONG')
  expect(wire.commands().at(-1)).toMatchObject({ name: 'PING', reply: { text: 'PONG' } })
})

test('a gate holds a command, lets it pass, or cuts it off', async () => {
  const { wire, client } = await wired()
  let release = (): void => {}
  wire.gate = (command) => (command.name === 'SET' ? new Promise((resolve) => { release = () => resolve('pass') }) : 'pass')
  const call = client.set('k', 'held')
  await expect.poll(() => wire.commands().length).toBe(1)
  expect(await admin.get('k')).toBeNull()
  release()
  await call
  expect(await admin.get('k')).toBe('held')
  wire.gate = () => 'cut'
  await expect(client.set('k', 'never')).rejects.toThrow()
  expect(await admin.get('k')).toBe('held')
  expect(wire.commands().at(-1)!.fate).toBe('cut')
})

test('a lost reply: the server has done it, the client never hears of it', async () => {
  const { wire, client } = await wired()
  wire.replyGate = () => 'lose'
  await expect(client.incr('n')).rejects.toThrow()
  expect(await admin.get('n')).toBe('1')
  expect(wire.commands()[0]!.fate).toBe('lost')
})

test('a late reply arrives when the grader says', async () => {
  const { wire, client } = await wired()
  let answer = (): void => {}
  wire.replyGate = () => new Promise((resolve) => { answer = () => resolve('pass') })
  let settled = false
  const call = client.incr('n').finally(() => { settled = true })
  // That the server has done it is known elsewhere before its reply is here.
  await expect.poll(() => wire.commands()[0]?.reply).toMatchObject({ text: '1' })
  expect(await admin.get('n')).toBe('1')
  expect(settled).toBe(false)
  answer()
  expect(await call).toBe(1)
})

test('a server that answers and hangs up is heard to the end, however late', async () => {
  const { wire, client } = await wired()
  let answer = (): void => {}
  wire.replyGate = () => new Promise((resolve) => { answer = () => resolve('pass') })
  const call = client.quit()
  await expect.poll(() => wire.commands()[0]?.reply).toMatchObject({ text: 'OK' })
  // The server has nothing more to say, and another connection gets on.
  await admin.ping()
  await expect.poll(async () => (await admin.client('LIST') as string).split('\n').filter(Boolean).length).toBe(1)
  answer()
  expect(await call).toBe('OK')
  await expect.poll(() => wire.open()).toBe(0)
})

test('down ends connections and refuses new ones, up lets them in again', async () => {
  const { wire, client } = await wired({ retryStrategy: () => 5, maxRetriesPerRequest: null })
  wire.down()
  await expect.poll(() => wire.open()).toBe(0)
  const call = client.set('k', 'after')
  expect(await admin.get('k')).toBeNull()
  wire.up()
  expect(await call).toBe('OK')
  expect(wire.made()).toBeGreaterThan(1)
})

test('duplicates are counted, and reply bytes', async () => {
  const { wire, client } = await wired()
  const other = client.duplicate()
  await other.ping()
  expect([wire.made(), wire.open()]).toEqual([2, 2])
  other.disconnect()
  await expect.poll(() => wire.open()).toBe(1)
  await admin.set('big', 'x'.repeat(10_000))
  wire.forget()
  await client.get('big')
  expect(wire.replyBytes()).toBe(10_000 + '$10000\r\n\r\n'.length)
})

test('a database other than 0 is chosen although the learner may not choose', async () => {
  const { wire, client } = await wired({}, { ...lease.redis[0]!, database: 3 })
  await client.set('k', 'in three')
  expect(wire.trouble()).toBeNull()
  expect(await admin.get('k')).toBeNull()
  await admin.select(3)
  onTestFinished(() => void admin.select(0))
  expect(await admin.get('k')).toBe('in three')
  await expect(client.select(0)).rejects.toThrow(/NOPERM/)
})

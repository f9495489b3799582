import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { HostEnded, LearnerError, type Host } from './host.ts'
import { hostImage } from './image.ts'
import { isolation } from './isolation.ts'
import { hostPool, type HostPool } from './pool.ts'

const SUBMISSION = `
import fs from 'node:fs'
import net from 'node:net'
import process from 'node:process'
export const echo = (value) => value
export const fail = () => { throw new RangeError('at once') }
export const reject = async () => { throw new TypeError('later') }
export const callBack = (f) => f(1, 'two')
export const handOver = (f) => f({ items: [new Item('tea', 2)], signal: new AbortController().signal })
export const need = async (name) => { await import(name) }
export const spin = () => { for (;;); }
export const exit = () => process.exit(3)
export const allocate = () => { const held = []; for (;;) held.push(Buffer.alloc(20_000_000, 1)) }
export const print = () => { for (let i = 0; i < 100; i++) process.stdout.write('x'.repeat(10_000)) }
export const read = (file) => fs.readFileSync(file, 'utf8')
export const list = (folder) => fs.readdirSync(folder)
export const write = (file) => fs.writeFileSync(file, 'mine')
export const dial = (port) => new Promise((resolve) => net.connect(port, '127.0.0.1').on('connect', () => resolve('connected')).on('error', (e) => resolve(e.code)))
export const itself = () => new URL(import.meta.url).pathname
export const signal = () => process.kill(process.ppid, 'SIGKILL')
export const forget = () => { Promise.reject(new Error('nobody looks')) }
export const clocks = () => [Date.now(), new Date().getTime(), new Date(0).constructor.now(), (Object.getPrototypeOf(Date).now ?? Date.now)(), performance.timeOrigin + performance.now()]
export const leave = () => { setInterval(() => {}, 1000).unref() }
export const garbage = () => { fs.writeSync(3, Buffer.from([9, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])) }
export const forge = (answer) => {
  const { from } = Buffer
  // Once this call is answered.
  setImmediate(() => { Buffer.from = (value, ...rest) => from(typeof value === 'string' && value.startsWith('{"t":"s"') ? JSON.stringify({ ...JSON.parse(value), ...answer }) : value, ...rest) })
}
export const replace = () => { setImmediate(() => { JSON.parse = JSON.stringify = globalThis.eval = globalThis.setImmediate = () => { throw new Error('mine') } }) }
class Item { #count; constructor(name, count) { this.name = name; this.#count = count } get count() { return this.#count } cost() { return 1 } }
export class Counter { #n = 0; up(by = 1) { return (this.#n += by) } get n() { return this.#n } }
`

const bubblewrap = isolation() === 'bubblewrap'
test.runIf(process.env.CI)('bubblewrap is there where it must be', () => expect(isolation()).toBe('bubblewrap'))
if (!bubblewrap) console.warn('SKIPPED: bubblewrap is not on this machine, so what only it can close is not tested. Install it: apt install bubblewrap')

describe.each([...(bubblewrap ? ['bubblewrap' as const] : []), 'permissions' as const])('a host under %s', (kind) => {
  let folder: string
  let pool: HostPool
  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'host-'))
    pool = await hostPool(kind, await hostImage(), folder, 0)
  })
  afterAll(async () => {
    await pool.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  const start = async (patienceMs = 3000): Promise<Host> => {
    const host = pool.take(() => patienceMs)
    onTestFinished(() => host.kill())
    await host.load(SUBMISSION)
    return host
  }

  test('calls functions and methods, and tells the kinds of the exports', async () => {
    const host = await start()
    expect(await host.call('echo', { a: [1, undefined, new Date(0)] })).toEqual({ a: [1, undefined, new Date(0)] })
    expect(host.exports.get('Counter')).toBe('class')
    expect(host.exports.get('echo')).toBe('function')
    const counter = await host.construct('Counter')
    await counter.call('up')
    expect(await counter.call('up', 2)).toBe(3)
    expect(await counter.get('n')).toBe(3)
  })

  test('functions of the grader can be called from inside', async () => {
    const host = await start()
    expect(await host.call('callBack', async (...args: unknown[]) => args.length)).toBe(2)
  })

  test('what a function of the grader is given is data, also where the learner has a class for it', async () => {
    const host = await start()
    const given: unknown[] = []
    await host.call('handOver', async (value: unknown) => { given.push(value) })
    expect(given).toEqual([{ items: [{ name: 'tea', count: 2 }], signal: expect.objectContaining({ className: 'AbortSignal' }) }])
  })

  test('functions of the grader can be put inside, where values have methods, `this` and identity', async () => {
    const host = await start()
    const counter = await (await host.plant(() => Object.assign(() => 1, { n: 20, up(by: number) { return this.n + by } })))()
    const up = await host.plant((f: { up(by: number): number }, by: number) => f.up(by))
    expect(await up(counter, 3)).toBe(23)
  })

  test('a throw and a rejection are told apart', async () => {
    const host = await start()
    const thrown = await host.call('fail').catch((error: unknown) => error) as LearnerError
    expect(thrown).toBeInstanceOf(LearnerError)
    expect([thrown.facts.classes[0], thrown.synchronous]).toEqual(['RangeError', true])
    const rejected = await host.call('reject').catch((error: unknown) => error) as LearnerError
    expect([rejected.facts.classes[0], rejected.synchronous]).toEqual(['TypeError', false])
  })

  test.each([
    ['a loop that never ends', 'spin', 'deadline'],
    ['an exit', 'exit', 'exited'],
    ['memory without end', 'allocate', 'memory'],
    ['garbage on the pipe', 'garbage', 'garbage'],
  ])('%s ends it, and says so', async (_name, call, reason) => {
    const host = await start(call === 'spin' ? 500 : 5000)
    const ended = await host.call(call).then(() => host.call('echo', 1)).catch((error: unknown) => error) as HostEnded
    expect(ended).toBeInstanceOf(HostEnded)
    expect(ended.reason).toBe(reason)
    expect(host.alive()).toBe(false)
  })

  test('output is bounded', async () => {
    const host = await start()
    await host.call('print')
    await expect.poll(() => host.output().length).toBe(64 << 10)
  })

  test.each([
    ['an answer to a call', { r: null }, (host: Host) => host.call('echo', 1)],
    ['an answer to an import', { r: { ok: true, value: 1 } }, (host: Host) => host.load(SUBMISSION)],
    ['an instance', { r: { ok: true, value: 1 } }, (host: Host) => host.construct('Counter')],
    ['a function', { r: { ok: true, value: 1 } }, (host: Host) => host.plant(() => 1)],
    ['an error where none is told', { e: 'no such call' }, (host: Host) => host.idle()],
    ['what is left alive', { r: { resources: 'none' } }, (host: Host) => host.reset()],
  ])('%s that learner code forged ends it, and says so', async (_what, answer, use) => {
    const host = await start()
    await host.call('forge', answer)
    const ended = await use(host).catch((error: unknown) => error) as HostEnded
    expect(ended).toBeInstanceOf(HostEnded)
    expect(ended.reason).toBe('garbage')
  })

  test('what learner code puts in the place of built-in functions is not what the host uses', async () => {
    const host = await start()
    await host.call('replace')
    await host.idle()
    expect(await (await host.plant((n: number) => n + 1))(1)).toBe(2)
  })

  test('it cannot signal, nor read or write what is not its own', async () => {
    const host = await start()
    await expect(host.call('signal')).rejects.toThrow(/not available here/)
    for (const file of [import.meta.filename, '/etc/passwd', path.join(os.homedir(), '.bashrc')]) {
      await expect(host.call('read', file)).rejects.toThrow(/ERR_ACCESS_DENIED|ENOENT|restricted/)
    }
    await expect(host.call('write', await host.call('itself'))).rejects.toThrow(/EROFS|restricted|ENOENT/)
  })

  test('what is built into Node can be imported', async () => {
    const host = await start()
    const names = ['util', 'v8', 'worker_threads', 'http', 'inspector', 'timers/promises', 'crypto', 'zlib']
    for (const name of names) await host.call('need', `node:${name}`)
  })

  test.each(['ioredis', 'kafkajs'])('%s can be imported', async (name) => {
    const host = await start()
    await host.call('need', name)
  })

  test('an unhandled rejection is noticed and ends nothing', async () => {
    const host = await start()
    await host.call('forget')
    await expect.poll(() => host.unhandled.map((error) => error.facts.message)).toEqual(['nobody looks'])
    expect(await host.call('echo', 1)).toBe(1)
  })

  test('a reset tells what is left alive', async () => {
    const host = await start()
    expect(await host.reset()).toEqual({ resources: [], timers: 0, globals: [] })
    await host.load(SUBMISSION)
    await host.call('leave')
    expect((await host.reset()).timers).toBe(1)
  })

  test('its clock can be wrong, and right again', async () => {
    const host = await start()
    const clocks = async (): Promise<number[]> => (await host.call('clocks') as number[]).map((ms) => ms - Date.now())
    for (const hours of [2, -3, 0]) {
      await host.load(SUBMISSION, hours * 3_600_000)
      for (const ms of await clocks()) expect(Math.abs(ms - hours * 3_600_000)).toBeLessThan(60_000)
    }
  })

  test('SIGSTOP holds it, SIGCONT lets it go on', async () => {
    const host = await start()
    host.stop()
    let answered = false
    const call = host.call('echo', 'late').then((value) => {
      answered = true
      return value
    })
    // Another one answers a hundred calls meanwhile.
    const other = await start()
    for (let i = 0; i < 100; i++) await other.call('echo', i)
    expect(answered).toBe(false)
    host.cont()
    expect(await call).toBe('late')
  })

  test.runIf(kind === 'bubblewrap')('no port of the machine can be reached', async () => {
    const { createServer } = await import('node:net')
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
    onTestFinished(() => { server.close() })
    await new Promise((resolve) => server.once('listening', resolve))
    const host = await start()
    expect(await host.call('dial', (server.address() as { port: number }).port)).toMatch(/ECONNREFUSED|ENETUNREACH/)
  })
})

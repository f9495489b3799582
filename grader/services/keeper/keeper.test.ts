import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { openLine } from '#services/redis/ask.ts'
import { disposable, loggedIn } from '#services/redis/promises.ts'
import { acquire, down, status } from '#services/services.ts'
import { until } from '#services/wait.ts'
import { callRunning } from './call.ts'
import { environment } from './protocol.ts'
import { startOf } from './registry.ts'

withOwnKeeper()
afterEach(down)

const lease = async (redis = 1) => disposable(await acquire({ redis, kafka: false }, { kind: 'processes' }))
const pidOf = async () => (await status()).keeper?.pid
const gone = (pid: number) => until(`process ${pid} being gone`, () => startOf(pid) === null || undefined, {
  deadlineMs: 5000,
})

test('two commands that start it at once share one', async () => {
  const command = () => spawn(process.execPath, ['--input-type=module-typescript', '-e', `
    import { acquire, status } from '#services/services.ts'
    const { release } = await acquire({ redis: 1, kafka: false }, { kind: 'processes' })
    console.log((await status()).keeper.pid)
    await release()
  `], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pids = await Promise.all([1, 2, 3].map(async () => String((await once(command().stdout, 'data'))[0]).trim()))
  expect(new Set(pids)).toEqual(new Set([String(await pidOf())]))
})

test('killed, it leaves servers behind, and the next one ends them', async () => {
  const { redis: [endpoint] } = await lease()
  const first = (await pidOf())!
  process.kill(first, 'SIGKILL')
  await gone(first)
  await using orphan = await loggedIn(endpoint, endpoint.admin)
  expect(await orphan.ask('PING')).toBe('PONG')

  await using leased = await lease()
  expect(leased.redis[0].address).not.toEqual(endpoint.address)
  expect(await pidOf()).not.toBe(first)
  await expect(openLine(endpoint.address, endpoint.admin)).rejects.toThrow()
})

test('`down` also ends what a killed keeper left', async () => {
  const { redis: [endpoint] } = await lease()
  const first = (await pidOf())!
  process.kill(first, 'SIGKILL')
  await gone(first)
  await down()
  await expect(openLine(endpoint.address, endpoint.admin)).rejects.toThrow()
  expect(await pidOf()).toBeUndefined()
})

test.runIf(process.platform === 'linux')('`down` right after a release leaves no server, not even the next one just starting', async () => {
  for (let i = 0; i < 10; i++) {
    const { release } = await lease()
    await release()
    await down()
    await until('the last server being gone', () => serversHere().length === 0 || undefined, { deadlineMs: 5000 })
  }
})

/** Processes that work in the folder of this test's services. */
function serversHere(): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`).startsWith(process.env.KIT_RUNTIME_DIR!)
    } catch {
      return false
    }
  })
}

test('never ends a process that merely got the id of one it had', async () => {
  const stranger = spawn('sleep', ['60'])
  const left = { processes: [{ pid: stranger.pid, started: '1' }], containers: [] }
  writeFileSync(join(process.env.KIT_RUNTIME_DIR!, 'state.json'), JSON.stringify(left))
  await using leased = await lease()
  expect(leased.redis).toHaveLength(1)
  expect(startOf(stranger.pid!)).not.toBeNull()
  stranger.kill()
})

test('stops by itself, servers included, when nobody has used it for a while', async () => {
  process.env.KIT_IDLE_MS = '50'
  const { redis: [endpoint], release } = await lease()
  delete process.env.KIT_IDLE_MS
  const pid = (await pidOf())!
  await release()
  await gone(pid)
  await expect(openLine(endpoint.address, endpoint.admin)).rejects.toThrow()
})

test('with older code than the command it makes way, but not while somebody uses its servers', async () => {
  const request = {
    op: 'acquire' as const,
    redis: { count: 0, kinds: [] },
    kafka: { kinds: [] },
    environment: environment(),
    fingerprint: 'newer',
  }
  const inUse = await lease()
  const pid = (await pidOf())!
  const served = await callRunning(request)
  expect(served?.answer.type).toBe('leased')
  served!.socket.destroy()
  await inUse.release()
  await gone(pid)
  await using leased = await lease()
  expect(leased.redis).toHaveLength(1)
})

test('does not put its socket into a folder that others can enter', async () => {
  chmodSync(process.env.KIT_RUNTIME_DIR!, 0o755)
  try {
    await expect(acquire({ redis: 1, kafka: false }, { kind: 'processes' })).rejects.toThrow(
      `the folder ${process.env.KIT_RUNTIME_DIR} is not private to you`,
    )
  } finally {
    chmodSync(process.env.KIT_RUNTIME_DIR!, 0o700)
  }
})

test('a released lease lets the command end at once, a forgotten one as well', async () => {
  const forgetful = spawn(process.execPath, ['--input-type=module-typescript', '-e', `
    import { acquire } from '#services/services.ts'
    await acquire({ redis: 1, kafka: false }, { kind: 'processes' })
  `], { stdio: 'inherit' })
  expect(await once(forgetful, 'exit')).toEqual([0, null])
})

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hostImage } from '#sandbox/image.ts'
import { isolation } from '#sandbox/isolation.ts'
import { hostPool } from '#sandbox/pool.ts'
import { openRun, type Run } from './run.ts'

const SUBMISSION = 'export const leave = () => { setInterval(() => {}, 1000).unref() }'

async function start(): Promise<Run> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'run-'))
  const pool = await hostPool(isolation(), await hostImage(), folder, 0)
  const sourceMap = JSON.stringify({ version: 3, sources: [], names: [], mappings: '' })
  const run = openRun({ code: SUBMISSION, sourceMap, redis: [], kafka: null }, pool)
  onTestFinished(async () => {
    await run.close()
    await pool.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  return run
}

test('a host in which nothing is left is used again', async () => {
  const run = await start()
  const host = await run.takeHost()
  await run.giveHost(host, 'a check', [{ open: () => 0 }])
  expect(await run.takeHost()).toBe(host)
})

test('a host with a timer is not', async () => {
  const run = await start()
  const host = await run.takeHost()
  await host.call('leave')
  await run.giveHost(host, 'a check')
  expect(await run.takeHost()).not.toBe(host)
  expect(host.alive()).toBe(false)
})

test('nor is one that left a connection open: it would be made anew in the next check', async () => {
  const run = await start()
  const host = await run.takeHost()
  await run.giveHost(host, 'a check', [{ open: () => 0 }, { open: () => 1 }])
  expect(await run.takeHost()).not.toBe(host)
  expect(host.alive()).toBe(false)
})

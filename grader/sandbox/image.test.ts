import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hostImage } from './image.ts'
import { heapFlags } from './isolation.ts'

test('a host that starts compiles nothing of its program', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'image-'))
  onTestFinished(() => fs.rmSync(folder, { recursive: true }))
  const log = path.join(folder, 'v8.log')
  const blob = path.join(await hostImage(), 'host.blob')
  const host = spawn(process.execPath, [...heapFlags, '--log-function-events', `--logfile=${log}`, '--no-logfile-per-isolate', '--snapshot-blob', blob],
    { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
  host.stdio[3]!.destroy()
  await once(host, 'exit')
  const events = fs.readFileSync(log, 'utf8').split('\n').map((line) => line.split(','))
  const program = events.find(([kind, , name]) => kind === 'script-details' && name?.endsWith('host.cjs'))?.[1]
  expect(program).toBeDefined()
  expect(events.filter(([kind, what, script]) => kind === 'function' && what === 'interpreter' && script === program)).toEqual([])
})

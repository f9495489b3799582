import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hostImage } from './image.ts'
import { heapFlags } from './isolation.ts'

/** How often Node compiled a function of `script` while a host started and ended. */
async function compiledOf(script: string): Promise<number> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'image-'))
  onTestFinished(() => fs.rmSync(folder, { recursive: true }))
  const log = path.join(folder, 'v8.log')
  const blob = path.join(await hostImage(), 'host.blob')
  const host = spawn(process.execPath, [...heapFlags, '--log-function-events', `--logfile=${log}`, '--no-logfile-per-isolate', '--snapshot-blob', blob],
    { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
  host.stdio[3]!.destroy()
  await once(host, 'exit')
  const lines = fs.readFileSync(log, 'utf8').split('\n').map((line) => line.split(','))
  const id = lines.find(([kind, , name]) => kind === 'script-details' && name?.endsWith(script))?.[1]
  expect(id).toBeDefined()
  return lines.filter(([kind, what, of]) => kind === 'function' && what === 'interpreter' && of === id).length
}

test('a host that starts compiles nothing of its program', async () => {
  expect(await compiledOf('host.cjs')).toBe(0)
})

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { scratchOn } from './scratch.ts'

let disk: string
beforeEach(() => { disk = mkdtempSync(join(tmpdir(), 'scratch-')) })
afterEach(() => rmSync(disk, { recursive: true, force: true }))

test('a folder is there until it is removed', () => {
  const { folder, remove } = scratchOn(disk)
  expect(existsSync(folder)).toBe(true)
  remove()
  expect(existsSync(folder)).toBe(false)
})

test('a process takes its folders along when it exits', async () => {
  const other = await elsewhere('process.exit(0)')
  await other.ended
  expect(existsSync(other.folder)).toBe(false)
})

test('what a killed process left is removed with the next one, and nothing else', async () => {
  const [killed, living] = await Promise.all([elsewhere('setInterval(() => {}, 1000)'), elsewhere('setInterval(() => {}, 1000)')])
  const strange = join(disk, 'rkk-of-somebody-else')
  mkdirSync(strange)
  killed.child.kill('SIGKILL')
  await killed.ended
  expect(existsSync(killed.folder)).toBe(true)
  const { folder, remove } = scratchOn(disk)
  expect([killed.folder, living.folder, strange, folder].map((one) => existsSync(one))).toEqual([false, true, true, true])
  remove()
  living.child.kill('SIGKILL')
  await living.ended
})

/** Another process that makes a folder, tells which, and goes on as it is told. */
async function elsewhere(then: string) {
  const program = `const { scratchOn } = await import(${JSON.stringify(join(import.meta.dirname, 'scratch.ts'))})
    process.stdout.write(scratchOn(${JSON.stringify(disk)}).folder, () => { ${then} })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const folder = await new Promise<string>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())))
  return { child, ended, folder }
}

import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dataDir, memoryDisk, runtimeDir, servicesDirs } from './place.ts'

const before = process.env.KIT_RUNTIME_DIR
let chosen: string
beforeEach(() => { chosen = mkdtempSync(join(tmpdir(), 'place-')) })
afterEach(() => {
  if (before === undefined) delete process.env.KIT_RUNTIME_DIR
  else process.env.KIT_RUNTIME_DIR = before
  rmSync(chosen, { recursive: true, force: true })
})

test('KIT_RUNTIME_DIR holds everything', () => {
  process.env.KIT_RUNTIME_DIR = chosen
  expect([runtimeDir(), dataDir(), servicesDirs()]).toEqual([chosen, chosen, [chosen]])
})

test('wherever data goes, leftovers are looked for', () => {
  delete process.env.KIT_RUNTIME_DIR
  expect(servicesDirs()).toContain(runtimeDir())
  expect(dataDir().startsWith(memoryDisk() ?? runtimeDir())).toBe(true)
  expect(servicesDirs()).toContain(dataDir())
})

test.runIf(process.platform === 'linux')('a disk in memory is one with a gigabyte to spare', () => {
  const { bavail, bsize } = statfsSync('/dev/shm')
  expect(memoryDisk()).toBe(bavail * bsize >= 1 << 30 ? '/dev/shm' : null)
})

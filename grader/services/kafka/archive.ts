import { join } from 'node:path'
import { cached } from '#services/cached.ts'
import type { Progress } from '#services/keeper/server.ts'
import { hash } from '#services/place.ts'
import { startBroker } from './broker.ts'
import type { Distribution } from './distribution.ts'
import type { Java } from './java.ts'

/** JDK 25 can also keep profiles and linked classes, which starts the broker faster still. */
const firstWithAotCache = 25

/**
 * The flags that start a broker from an archive of its loaded classes, in half the time. The archive is written once
 * for each Java and Kafka, at the end of a training run that does what a session does first.
 */
export async function archiveFlags(
  java: Java,
  { version, classPath }: Distribution,
  template: string,
  onProgress: Progress,
): Promise<string[]> {
  const isAot = java.major >= firstWithAotCache
  const name = `kafka-${version}-classes-${java.version}-${hash(java.command + classPath)}`
  const dir = await cached(name, async (draft) => {
    onProgress({
      en: 'Preparing Kafka for quick starts (5 s, once)…',
      vi: 'Đang chuẩn bị để Kafka khởi động nhanh (5 giây, chỉ một lần)…',
    })
    const output = isAot ? '-XX:AOTCacheOutput' : '-XX:ArchiveClassesAtExit'
    const broker = await startBroker(java.command, classPath, template, [`${output}=${join(draft, 'classes')}`])
    try {
      const { warm } = await import('./warm.ts')
      await warm([`127.0.0.1:${broker.port}`])
      process.kill(broker.child.pid, 'SIGTERM')
      await broker.child.exited
    } finally {
      await broker.end()
    }
  })
  const input = isAot ? '-XX:AOTCache' : '-XX:SharedArchiveFile'
  return [`${input}=${join(dir, 'classes')}`, '-Xlog:disable', '-Xlog:all=error:stderr']
}

import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild, type Child } from '#services/keeper/child.ts'
import { dataDir } from '#services/place.ts'
import { until } from '#services/wait.ts'
import { answersKafka } from './api-versions.ts'
import { areFree, freePorts } from './ports.ts'
import { properties } from './properties.ts'

/** A broker process that answers, on loopback. */
export interface Broker {
  readonly child: Child
  readonly port: number
  /** Ends the process if it still runs, and deletes its data. */
  end(): Promise<void>
}

const heap = ['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData']
const attempts = 3

/**
 * Starts a broker on a copy of the formatted folder `template` and waits until it answers. A port that somebody takes
 * between our look and the broker's bind is exchanged for another one.
 */
export async function startBroker(java: string, classPath: string, template: string, flags: readonly string[] = []) {
  for (let left = attempts; ; left--) {
    const broker = await tryToStart(java, classPath, template, flags)
    if (broker !== 'port taken') return broker
    if (left === 1) throw new Error(`${attempts} ports in a row were taken by other programs`)
  }
}

async function tryToStart(java: string, classPath: string, template: string, flags: readonly string[]) {
  const dir = mkdtempSync(join(dataDir(), 'kafka-'))
  const [port, controllerPort] = await freePorts()
  const data = join(dir, 'data')
  cpSync(template, data, { recursive: true })
  const file = join(dir, 'server.properties')
  writeFileSync(file, properties({ bind: '127.0.0.1', port, controllerPort, advertised: `127.0.0.1:${port}`, dataDir: data }))
  const logging = `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.properties')}`
  const child = startChild(java, [...heap, ...flags, logging, '-cp', classPath, 'kafka.Kafka', file], {
    cwd: dir,
    log: join(dir, 'kafka.log'),
  })
  const end = async () => {
    await child.end()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const outcome = await until('a new Kafka broker answering', async () => {
      if (child.hasExited()) return (await areFree(port, controllerPort)) ? 'failed' : 'port taken'
      return (await answersKafka('127.0.0.1', port)) ? 'answers' : undefined
    }, { deadlineMs: 30_000, everyMs: 10 })
    // What answered may be a stranger on the port while our broker is failing to bind it.
    if (outcome === 'answers' && !child.hasExited()) return { child, port, end } satisfies Broker
    if (outcome === 'failed') throw new Error(`Kafka ended while starting: ${child.lastWords()}`)
    await end()
    return 'port taken'
  } catch (error) {
    await end()
    throw error
  }
}

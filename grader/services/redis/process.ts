import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from '#services/keeper/child.ts'
import type { Progress, Server } from '#services/keeper/server.ts'
import { runtimeDir } from '#services/place.ts'
import type { RedisEndpoint } from '#services/services.ts'
import { Obstacle } from '#services/unavailable.ts'
import { until } from '#services/wait.ts'
import { openLine } from './ask.ts'
import { redisBinary } from './binary.ts'
import { configuration } from './config.ts'
import { isAlive, versionOf } from './health.ts'

/**
 * It reads its configuration from its standard input. A keeper killed before it has written that leaves a server that
 * listens nowhere, and so ends by itself.
 */
export const serverArguments: readonly string[] = ['-', '--port', '0']

/** A redis-server for one lease. It is never used twice: a new one costs 10 ms and certainly holds nothing. */
export async function startRedisProcess(onProgress: Progress): Promise<Server<RedisEndpoint>> {
  const binary = await redisBinary(onProgress)
  const dir = runtimeDir()
  const path = join(dir, `redis-${randomBytes(4).toString('hex')}.sock`)
  const [admin, learner] = [secret(), secret()]
  const listen = [`unixsocket ${path}`, 'unixsocketperm 700']
  const child = startChild(binary, serverArguments, {
    cwd: dir,
    log: path.replace(/sock$/, 'log'),
    input: configuration(listen, { admin, learner }),
  })
  const stop = async () => {
    await child.end()
    rmSync(path, { force: true })
  }
  const login = { username: null, password: admin }
  try {
    const line = await until('a new Redis server answering', () => {
      if (child.hasExited()) throw new Error(child.lastWords())
      return openLine({ path }, login).catch(() => undefined)
    }, { deadlineMs: 5000, everyMs: 2 })
    const version = await versionOf(line)
    line.close()
    return {
      endpoint: {
        version,
        from: 'processes',
        address: { path },
        database: 0,
        admin: login,
        learner: { username: 'learner', password: learner },
      },
      isAlive: async () => !child.hasExited() && await isAlive({ path }, login),
      clear: async () => false,
      stop,
    }
  } catch (error) {
    const reason = (error as Error).message
    await stop()
    throw new Obstacle(
      { en: `${binary} did not start (${reason})`, vi: `${binary} không khởi động được (${reason})` },
      `${binary} --version`,
    )
  }
}

const secret = (): string => randomBytes(24).toString('base64url')

import { randomBytes } from 'node:crypto'
import type { Progress, Server } from '#services/keeper/server.ts'
import { openLine } from '#services/redis/ask.ts'
import { configuration } from '#services/redis/config.ts'
import { isAlive, versionOf } from '#services/redis/health.ts'
import type { RedisEndpoint } from '#services/services.ts'
import { until } from '#services/wait.ts'
import { findEngine } from './engine.ts'

const file = '/kit/redis.conf'

/** A Redis container, from KIT_REDIS_IMAGE: any image with `redis-server` on its PATH. Cleared between leases. */
export async function startRedisContainer(onProgress: Progress): Promise<Server<RedisEndpoint>> {
  await findEngine()
  const image = process.env.KIT_REDIS_IMAGE || 'redis:7-alpine'
  onProgress({
    en: `Starting Redis in a container (${image})…`,
    vi: `Đang khởi động Redis trong container (${image})…`,
  })
  const { startContainer } = await import('./container.ts')
  const [admin, learner] = [secret(), secret()]
  const container = await startContainer({
    image,
    command: ['redis-server', file],
    port: 6379,
    file: { target: file, content: configuration(['port 6379', 'bind 0.0.0.0'], { admin, learner }) },
  })
  const address = { host: container.host, port: container.port }
  const login = { username: null, password: admin }
  const version = await until(`Redis of ${image} answering`, async () => {
    const line = await openLine(address, login, 500).catch(() => null)
    const answer = await line?.ask('PING').then(() => versionOf(line), () => undefined)
    line?.close()
    return answer
  }, { deadlineMs: 20_000, everyMs: 10 }).catch(async (error: unknown) => {
    await container.stop()
    throw error
  })
  return {
    endpoint: {
      version,
      from: 'containers',
      address,
      database: 0,
      admin: login,
      learner: { username: 'learner', password: learner },
    },
    isAlive: () => isAlive(address, login),
    clear: async () => {
      const line = await openLine(address, login, 1000)
      for (const command of clearing) await line.ask(...command.split(' '))
      line.close()
      return true
    },
    stop: container.stop,
  }
}

/** Connections first: what they would still write must not land in the next lease. */
const clearing = [
  'CLIENT KILL TYPE normal SKIPME yes',
  'CLIENT KILL TYPE pubsub',
  'FLUSHALL',
  'SCRIPT FLUSH',
  'FUNCTION FLUSH',
  'CONFIG RESETSTAT',
]

const secret = (): string => randomBytes(24).toString('base64url')

import type { Address, Credentials } from '#services/redis/ask.ts'
import { Obstacle } from '#services/unavailable.ts'

export interface OwnRedis {
  readonly address: Address
  readonly login: Credentials
  readonly database: number
  /** For people: where it is, without the password. */
  readonly shown: string
}

const next = 'export REDIS_URL=redis://localhost:6379'

/** REDIS_URL, `redis://[user[:password]@]host[:port][/database]`, taken apart. Throws an Obstacle. */
export function parseRedisUrl(text: string | undefined): OwnRedis {
  if (!text) throw new Obstacle({ en: 'REDIS_URL is not set', vi: 'chưa đặt REDIS_URL' }, next)
  const url = URL.parse(text)
  const database = Number(url?.pathname.slice(1) || 0)
  if (!url || url.protocol !== 'redis:' || !url.hostname || !Number.isInteger(database)) {
    const isTls = url?.protocol === 'rediss:'
    throw new Obstacle(
      isTls
        ? {
          en: 'REDIS_URL asks for TLS, which the kit does not speak',
          vi: 'REDIS_URL yêu cầu TLS mà bộ bài tập chưa hỗ trợ',
        }
        : {
          en: 'REDIS_URL is not of the form redis://user:password@host:port/database',
          vi: 'REDIS_URL không đúng dạng redis://user:password@host:port/database',
        },
      next,
    )
  }
  const [host, port] = [url.hostname, Number(url.port || 6379)]
  return {
    address: { host, port },
    login: {
      username: decodeURIComponent(url.username) || null,
      password: url.password ? decodeURIComponent(url.password) : null,
    },
    database,
    shown: `${host}:${port}`,
  }
}

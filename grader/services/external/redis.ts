import { randomBytes } from 'node:crypto'
import { openLine, type Line } from '#services/redis/ask.ts'
import { learnerRules } from '#services/redis/config.ts'
import { versionOf } from '#services/redis/health.ts'
import type { Login, RedisEndpoint } from '#services/services.ts'
import { Obstacle } from '#services/unavailable.ts'
import { until } from '#services/wait.ts'
import { parseRedisUrl, type OwnRedis } from './url.ts'

export interface DatabaseLease {
  readonly endpoint: RedisEndpoint
  release(): Promise<void>
}

const waitForTurnMs = 60_000

/**
 * Leases an empty database of the server at `url`, the URL's own if it is empty. Nothing that was there before is ever
 * touched: a database with keys is not used, and only the leased one is flushed afterwards.
 * While every empty database is leased to other commands it waits. Throws an Obstacle.
 */
export async function leaseDatabase(url: string | undefined): Promise<DatabaseLease> {
  const own = parseRedisUrl(url)
  const line = await openLine(own.address, own.login).catch((error: Error) => {
    throw new Obstacle(
      {
        en: `Redis at ${own.shown} cannot be used (${error.message || 'no answer'})`,
        vi: `không dùng được Redis tại ${own.shown} (${error.message || 'không trả lời'})`,
      },
      'unset REDIS_URL',
    )
  })
  // The connection is the lease: it must not keep a command alive that forgot to release it.
  line.unref()
  try {
    const database = await until('an empty Redis database that no other command uses', () => claim(line, own), {
      deadlineMs: waitForTurnMs,
      everyMs: 20 + Math.random() * 40,
    })
    const learner = await makeLearner(line, own, database)
    return {
      endpoint: {
        version: await versionOf(line), from: 'external', address: own.address, database, admin: own.login, learner,
      },
      release: async () => {
        if (learner !== own.login) await dismiss(line, learner.username!)
        await line.ask('FLUSHDB').catch(() => {})
        line.close()
      },
    }
  } catch (error) {
    line.close()
    throw error
  }
}

async function dismiss(line: Line, learner: string): Promise<void> {
  await line.ask('CLIENT', 'KILL', 'USER', learner).catch(() => {})
  await line.ask('ACL', 'DELUSER', learner).catch(() => {})
}

/** The first empty database that nobody claims, selected and claimed; undefined when others hold all empty ones. */
async function claim(line: Line, { database: first, shown }: OwnRedis): Promise<number | undefined> {
  let isAnyEmpty = false
  for (let database = first; await select(line, database); database++) {
    if (await line.ask('DBSIZE') !== 0 && !(await isClaimed(line, database))) continue
    isAnyEmpty = true
    await line.ask('CLIENT', 'SETNAME', nameOf(database))
    const isAlone = await claims(line, database) === 1
    if (isAlone && await line.ask('DBSIZE') === 0) return database
    await line.ask('CLIENT', 'SETNAME', '')
  }
  if (isAnyEmpty) return undefined
  throw new Obstacle(
    {
      en: `Redis at ${shown} has no empty database from number ${first} on, and the kit flushes none that is not empty`,
      vi: `Redis tại ${shown} không còn database trống nào từ số ${first}, và bộ bài tập không xóa dữ liệu có sẵn`,
    },
    'unset REDIS_URL',
  )
}

/**
 * A claim is the name of a connection, so it needs no key and ends with its owner. Two that claim at once both see two
 * and both step back: slower than choosing a winner, but never wrong.
 */
const nameOf = (database: number): string => `redis-kafka-kit:${database}`

async function claims(line: Line, database: number): Promise<number> {
  const clients = String(await line.ask('CLIENT', 'LIST')).split('\n')
  return clients.filter((client) => client.includes(` name=${nameOf(database)} `)).length
}

const isClaimed = async (line: Line, database: number): Promise<boolean> => await claims(line, database) > 0

/** False when the server has no database of that number. */
function select(line: Line, database: number): Promise<boolean> {
  return line.ask('SELECT', database).then(() => true, () => false)
}

/** On a server with other people's data a learner also may not reach out of the database by COPY. */
async function makeLearner(line: Line, { login }: OwnRedis, database: number): Promise<Login> {
  const username = `redis-kafka-kit-${database}`
  const password = randomBytes(24).toString('base64url')
  const rules = ['reset', 'on', `>${password}`, ...learnerRules, '-copy']
  return line.ask('ACL', 'SETUSER', username, ...rules).then(() => ({ username, password }), () => login)
}

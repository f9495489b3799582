// Way: one script, defined as a command, does everything; the news goes out before the score is set, in the same step.
import type { Redis, Result } from 'ioredis'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    leaderboard(key: string, action: string, ...args: (string | number)[]): Result<string[] | null, Context>
  }
}

const LUA = `
  local key, action, player = KEYS[1], ARGV[1], ARGV[2]
  if action == 'add' then
    redis.call('PUBLISH', 'scores:' .. key, ARGV[3] .. ' ' .. player)
    redis.call('ZADD', key, ARGV[3], player)
    return {}
  end
  local first, last = 0, tonumber(ARGV[3]) - 1
  if action ~= 'top' then
    local rank = redis.call('ZREVRANK', key, player)
    if not rank then return nil end
    first, last = math.max(0, rank - tonumber(ARGV[3])), rank + tonumber(ARGV[3])
  end
  if last < 0 then return { '0' } end
  local reply = { tostring(first) }
  for _, word in ipairs(redis.call('ZREVRANGE', key, first, last, 'WITHSCORES')) do reply[#reply + 1] = word end
  return reply
`

type Place = { playerId: string; score: number; rank: number }
type Listener = (change: { playerId: string; score: number }) => void

/** A leaderboard in the sorted set `key`, for ever; everything is done by one script. Scores go out on `scores:{key}`. */
export class GameLeaderboard {
  readonly #redis: Redis
  readonly #key: string

  constructor(redis: Redis, key = 'game:leaderboard') {
    if (typeof key !== 'string') throw new TypeError('key')
    redis.defineCommand('leaderboard', { numberOfKeys: 1, lua: LUA })
    this.#redis = redis
    this.#key = key
  }

  async addScore(playerId: string, score: number): Promise<void> {
    if (typeof score !== 'number') throw new TypeError('score')
    if (Number.isNaN(score) || Math.abs(score) > Number.MAX_SAFE_INTEGER) throw new RangeError('score')
    await this.#redis.leaderboard(this.#key, 'add', id(playerId), score)
  }

  async getRank(playerId: string): Promise<number | null> {
    const [own] = await this.#places('around', id(playerId), 0)
    return own?.rank ?? null
  }

  getTopPlayers(n = 10): Promise<Place[]> {
    return this.#places('top', '', n)
  }

  async getNearbyPlayers(playerId: string, range = 2): Promise<Place[]> {
    return this.#places('around', id(playerId), range)
  }

  async getPlayerScore(playerId: string): Promise<number | null> {
    const [own] = await this.#places('around', id(playerId), 0)
    return own ? own.score : null
  }

  async watchScores(listener: Listener): Promise<{ stop(): Promise<void> }> {
    if (typeof listener !== 'function') throw new TypeError('listener')
    return new ScoreWatcher(this.#redis.duplicate(), listener).start(`scores:${this.#key}`)
  }

  async #places(action: string, playerId: string, count: number): Promise<Place[]> {
    if (typeof count !== 'number') throw new TypeError('count')
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError('count')
    const [first, ...flat] = (await this.#redis.leaderboard(this.#key, action, playerId, count)) ?? []
    return flat.flatMap((playerId, i) => (i % 2 === 0 ? [{ playerId, score: Number(flat[i + 1]), rank: Number(first) + 1 + i / 2 }] : []))
  }
}

class ScoreWatcher {
  readonly #connection: Redis

  constructor(connection: Redis, listener: Listener) {
    this.#connection = connection
    connection.on('error', () => {})
    connection.on('message', (_channel, message) => {
      const space = message.indexOf(' ')
      listener({ playerId: message.slice(space + 1), score: Number(message.slice(0, space)) })
    })
  }

  async start(channel: string): Promise<this> {
    await this.#connection.subscribe(channel)
    return this
  }

  async stop(): Promise<void> {
    this.#connection.removeAllListeners()
    this.#connection.on('error', () => {})
    this.#connection.disconnect()
  }
}

function id(playerId: string): string {
  if (typeof playerId !== 'string') throw new TypeError('playerId')
  return playerId
}

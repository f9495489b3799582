// Way: ZRANGE with REV; one script sets the score and publishes it; stop() waits for QUIT.
import type { Redis } from 'ioredis'

export interface Player { playerId: string; score: number; rank: number }

const ADD = `
  redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
  return redis.call('PUBLISH', ARGV[3], ARGV[4])
`
const NEARBY = `
  local rank = redis.call('ZREVRANK', KEYS[1], ARGV[1])
  if rank == false then return {} end
  local range = tonumber(ARGV[2])
  local first = rank - range
  if first < 0 then first = 0 end
  local result = redis.call('ZRANGE', KEYS[1], first, rank + range, 'REV', 'WITHSCORES')
  table.insert(result, 1, tostring(first))
  return result
`

/** The sorted set `key`, without an expiry; scores are published on `leaderboard:{key}` by the script that sets them. */
export class GameLeaderboard {
  private readonly redis: Redis
  private readonly key: string

  constructor(redis: Redis, key: string = 'game:leaderboard') {
    if (typeof key !== 'string') throw new TypeError('key is not a string')
    this.redis = redis
    this.key = key
  }

  async addScore(playerId: string, score: number): Promise<void> {
    mustBeString(playerId)
    if (typeof score !== 'number' || !Number.isFinite(score)) throw new TypeError(`${String(score)} is no score`)
    if (score > Number.MAX_SAFE_INTEGER || score < -Number.MAX_SAFE_INTEGER) throw new RangeError('score out of range')
    await this.redis.eval(ADD, 1, this.key, score, playerId, this.channel(), JSON.stringify([playerId, score]))
  }

  async getRank(playerId: string): Promise<number | null> {
    mustBeString(playerId)
    const rank = await this.redis.zrevrank(this.key, playerId)
    return typeof rank === 'number' ? rank + 1 : null
  }

  async getTopPlayers(n: number = 10): Promise<Player[]> {
    mustBeCount(n)
    if (n === 0) return []
    return toPlayers(await this.redis.zrange(this.key, 0, String(n - 1), 'REV', 'WITHSCORES'), 1)
  }

  async getNearbyPlayers(playerId: string, range: number = 2): Promise<Player[]> {
    mustBeString(playerId)
    mustBeCount(range)
    const [first, ...flat] = (await this.redis.eval(NEARBY, 1, this.key, playerId, range)) as string[]
    return first === undefined ? [] : toPlayers(flat, Number(first) + 1)
  }

  async getPlayerScore(playerId: string): Promise<number | null> {
    mustBeString(playerId)
    const score = await this.redis.zscore(this.key, playerId)
    if (score === null) return null
    return parseFloat(score)
  }

  async watchScores(listener: (change: { playerId: string; score: number }) => void): Promise<{ stop(): Promise<void> }> {
    if (typeof listener !== 'function') throw new TypeError('listener is not a function')
    const connection = this.redis.duplicate({ lazyConnect: true })
    connection.on('error', () => undefined)
    await connection.connect()
    connection.on('messageBuffer', (_channel: Buffer, message: Buffer) => {
      const [playerId, score] = JSON.parse(message.toString()) as [string, number]
      listener({ playerId, score })
    })
    await connection.subscribe(this.channel())
    return {
      async stop() {
        await connection.quit()
      },
    }
  }

  private channel(): string {
    return `leaderboard:${this.key}`
  }
}

function toPlayers(flat: string[], rank: number): Player[] {
  const players: Player[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) {
    players.push({ playerId: flat[i]!, score: parseFloat(flat[i + 1]!), rank: rank + i / 2 })
  }
  return players
}

function mustBeString(value: unknown): void {
  if (typeof value !== 'string') throw new TypeError('playerId is not a string')
}

function mustBeCount(value: unknown): void {
  if (typeof value !== 'number' || Number.isNaN(value)) throw new TypeError('not a number')
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('not a count')
}

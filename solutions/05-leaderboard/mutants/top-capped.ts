// Mistake: n is capped at 1000
// Fails: top-gives-as-many-as-asked
import type { Redis } from 'ioredis'

interface Entry { playerId: string; score: number; rank: number }
interface Change { playerId: string; score: number }

const NEARBY = `
local rank = redis.call('ZREVRANK', KEYS[1], ARGV[1])
if not rank then return {0} end
local range = tonumber(ARGV[2])
local first = math.max(0, rank - range)
return {first + 1, redis.call('ZREVRANGE', KEYS[1], first, rank + range, 'WITHSCORES')}
`

function checkPlayer(playerId: unknown): void {
  if (typeof playerId !== 'string') throw new TypeError('playerId must be a string')
}

function checkCount(name: string, value: unknown): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be an integer from 0 up`)
}

function checkScore(score: unknown): void {
  if (typeof score !== 'number') throw new TypeError('score must be a number')
  if (!(Math.abs(score) <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`score ${score} is out of bounds`)
}

function toEntries(flat: string[], firstRank: number): Entry[] {
  const entries: Entry[] = []
  for (let i = 0; i < flat.length; i += 2) {
    entries.push({ playerId: flat[i] ?? '', score: Number(flat[i + 1]) + 0, rank: firstRank + i / 2 })
  }
  return entries
}

/**
 * A board in the sorted set `key` (by default `game:leaderboard`), which never expires. Changes are published on the channel
 * `{key}:changes`, in the same transaction that sets the score.
 */
export class GameLeaderboard {
  private readonly redis: Redis
  private readonly key: string

  /** Keeps the client and the key; sends nothing. Throws a TypeError if the key is no string. */
  constructor(redis: Redis, key = 'game:leaderboard') {
    if (typeof key !== 'string') throw new TypeError('key must be a string')
    this.redis = redis
    this.key = key
  }

  private get channel(): string {
    return `${this.key}:changes`
  }

  /** Sets the score and publishes it, in one MULTI. */
  async addScore(playerId: string, score: number): Promise<void> {
    checkPlayer(playerId)
    checkScore(score)
    const value = score === 0 ? 0 : score
    const replies = await this.redis
      .multi()
      .zadd(this.key, String(value), playerId)
      .publish(this.channel, JSON.stringify({ playerId, score: value }))
      .exec()
    if (!replies) throw new Error('the transaction was discarded')
    for (const [error] of replies) if (error) throw error
  }

  /** The rank, 1 for the best; null for nobody. */
  async getRank(playerId: string): Promise<number | null> {
    checkPlayer(playerId)
    const index = await this.redis.zrevrank(this.key, playerId)
    return index === null ? null : index + 1
  }

  /** The n best, best first. */
  async getTopPlayers(n = 10): Promise<Entry[]> {
    checkCount('n', n)
    if (n === 0) return []
    return toEntries(await this.redis.zrevrange(this.key, 0, Math.min(n, 1000) - 1, 'WITHSCORES'), 1)
  }

  /** The player and those around, read by one script at one moment. */
  async getNearbyPlayers(playerId: string, range = 2): Promise<Entry[]> {
    checkPlayer(playerId)
    checkCount('range', range)
    const reply = await this.redis.eval(NEARBY, 1, this.key, playerId, range)
    if (!Array.isArray(reply) || !Array.isArray(reply[1])) return []
    return toEntries(reply[1].map(String), Number(reply[0]))
  }

  /** The score, null for nobody. */
  async getPlayerScore(playerId: string): Promise<number | null> {
    checkPlayer(playerId)
    const score = await this.redis.zscore(this.key, playerId)
    return score === null ? null : Number(score)
  }

  /** Calls the listener for every score set from now on, on a connection of its own, until stop(). */
  async watchScores(listener: (change: Change) => void): Promise<{ stop(): Promise<void> }> {
    if (typeof listener !== 'function') throw new TypeError('listener must be a function')
    const subscriber = this.redis.duplicate()
    subscriber.on('error', () => {})
    let open = true
    subscriber.on('message', (_channel: string, text: string) => {
      if (open) listener(JSON.parse(text))
    })
    try {
      await subscriber.subscribe(this.channel)
    } catch (error) {
      subscriber.disconnect()
      throw error
    }
    return {
      stop: async () => {
        open = false
        subscriber.disconnect()
      },
    }
  }
}

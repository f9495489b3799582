// Mistake: the watcher's connection waits for Redis however long that takes, and with it watchScores.
// Fails: redis-failure-rejects
import type { Redis } from 'ioredis'

/** A place on the board; rank 1 is best. */
interface Place { playerId: string; score: number; rank: number }

/** What a watcher hears. */
interface Change { playerId: string; score: number }

/**
 * The rank and the neighbours belong to one moment: nobody can overtake in the middle of a script.
 *
 * KEYS[1] the board · ARGV[1] the player · ARGV[2] how many players on either side
 * Returns { index of the first one, { player, score, … } }, or nothing for a player who is not on the board.
 */
const NEARBY = `
  local index = redis.call('ZREVRANK', KEYS[1], ARGV[1])
  if not index then return nil end
  -- A negative index would count from the end.
  local first = math.max(0, index - ARGV[2])
  return { first, redis.call('ZREVRANGE', KEYS[1], first, index + ARGV[2], 'WITHSCORES') }
`

/**
 * A board in the sorted set `key`: a member per player, which never expires. Every score set is published, as JSON, on the
 * channel `{key}:changes`, in the transaction that sets it: nobody hears of a score that is not there, and no score
 * changes unheard.
 */
export class GameLeaderboard {
  readonly #redis: Redis
  readonly #key: string
  readonly #channel: string

  constructor(redis: Redis, key = 'game:leaderboard') {
    if (typeof key !== 'string') throw new TypeError('the key of a board must be a string')
    this.#redis = redis
    this.#key = key
    this.#channel = `${key}:changes`
  }

  /** Sets the score of a player and tells the watchers: one atomic step. */
  async addScore(playerId: string, score: number): Promise<void> {
    checkPlayerId(playerId)
    checkScore(score)
    const change: Change = { playerId, score }
    const replies = await this.#redis.multi()
      .zadd(this.#key, score, playerId)
      .publish(this.#channel, JSON.stringify(change))
      .exec()
    if (replies === null) throw new Error(`the score of ${playerId} was not set: the transaction was aborted`)
    // exec() resolves even when a command inside it failed: its error is in the reply.
    for (const [error] of replies) if (error) throw error
  }

  /** The place of a player, 1 for the best; null for one who is not on the board. */
  async getRank(playerId: string): Promise<number | null> {
    checkPlayerId(playerId)
    const index = await this.#redis.zrevrank(this.#key, playerId)
    return index === null ? null : index + 1
  }

  /** The `n` best players, best first. The server picks them, so the reply does not grow with the board. */
  async getTopPlayers(n = 10): Promise<Place[]> {
    checkCount('n', n)
    // A stop of -1 would mean the last one: everybody.
    if (n === 0) return []
    return places(0, await this.#redis.zrevrange(this.#key, 0, n - 1, 'WITHSCORES'))
  }

  /** The player with up to `range` players above and below, all of one moment; [] for one who is not on the board. */
  async getNearbyPlayers(playerId: string, range = 2): Promise<Place[]> {
    checkPlayerId(playerId)
    checkCount('range', range)
    const reply = await this.#redis.eval(NEARBY, 1, this.#key, playerId, range)
    return reply === null ? [] : places(...(reply as [number, string[]]))
  }

  /** The score of a player, null for one who is not on the board. */
  async getPlayerScore(playerId: string): Promise<number | null> {
    checkPlayerId(playerId)
    const score = await this.#redis.zscore(this.#key, playerId)
    return score === null ? null : Number(score)
  }

  /**
   * Calls `listener` for every score set from now on, in order, from any process, until `stop()`. It listens on a
   * connection of its own; what happens while that one is lost is not heard.
   */
  async watchScores(listener: (change: Change) => void): Promise<{ stop(): Promise<void> }> {
    if (typeof listener !== 'function') throw new TypeError('the listener must be a function')
    const subscriber = this.#redis.duplicate({ maxRetriesPerRequest: null })
    // Without this ioredis would print what the rejection of subscribe() says anyway.
    subscriber.on('error', () => {})
    subscriber.on('message', (_channel, message) => listener(JSON.parse(message) as Change))
    const close = (): void => {
      subscriber.removeAllListeners('message')
      subscriber.disconnect()
    }
    try {
      await subscriber.subscribe(this.#channel)
    } catch (error) {
      close()
      throw error
    }
    return { stop: async () => close() }
  }
}

/** Turns `player, score, player, score, …` into places, the first of which has the index `first`. */
function places(first: number, flat: readonly string[]): Place[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => ({
    playerId: flat[2 * i]!,
    score: Number(flat[2 * i + 1]),
    rank: first + i + 1,
  }))
}

function checkPlayerId(playerId: string): void {
  if (typeof playerId !== 'string') throw new TypeError('playerId must be a string')
}

function checkScore(score: number): void {
  if (typeof score !== 'number') throw new TypeError('score must be a number')
  // NaN is not less than anything.
  if (!(Math.abs(score) <= Number.MAX_SAFE_INTEGER)) throw new RangeError('score must be finite, and at most 2^53 - 1 either way')
}

function checkCount(name: string, value: number): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be an integer from 0 up`)
}

// Way: scripts by their hash with callBuffer() and commands in upper case; players are bytes of UTF-16.
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

/** One line of the board. It is a plain copy: it has no key and does not expire. */
export interface BoardLine { playerId: string; score: number; rank: number }

/** A script that is sent in full only when the server does not know its hash. */
class Script {
  readonly #body: string
  readonly #sha: string

  constructor(body: string) {
    this.#body = body
    this.#sha = createHash('sha1').update(body).digest('hex')
  }

  async run(redis: Redis, key: string, ...args: Array<string | Buffer>): Promise<unknown> {
    try {
      return await redis.callBuffer('EVALSHA', [this.#sha, '1', key, ...args])
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return redis.callBuffer('EVAL', [this.#body, '1', key, ...args])
    }
  }
}

const set = new Script(`
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[1] .. ' ' .. ARGV[2])
return 1
`)

const around = new Script(`
local at = redis.call('ZREVRANK', KEYS[1], ARGV[1])
if at == false then return false end
local above = math.min(at, tonumber(ARGV[2]))
local below = math.min(redis.call('ZCARD', KEYS[1]) - at - 1, tonumber(ARGV[2]))
return { at - above, redis.call('ZREVRANGE', KEYS[1], at - above, at + below, 'WITHSCORES') }
`)

// UTF-16 keeps every string apart, also those that are not well-formed.
const pack = (playerId: string): Buffer => Buffer.from(playerId, 'utf16le')
const unpack = (member: Buffer): string => member.toString('utf16le')

const text = (value: unknown, name: string): string => {
  if (typeof value === 'string') return value
  throw new TypeError(`${name}: a string is wanted`)
}

const count = (value: unknown, name: string): number => {
  if (typeof value !== 'number') throw new TypeError(`${name}: a number is wanted`)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new RangeError(`${name}: an integer from 0 to 2^53-1 is wanted, not ${value}`)
}

const points = (value: unknown): number => {
  if (typeof value !== 'number') throw new TypeError('score: a number is wanted')
  if (Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  throw new RangeError(`score: ${value} is out of range`)
}

function* lines(flat: Buffer[], offset: number): Generator<BoardLine> {
  for (let i = 0; i < flat.length; i += 2) {
    const [member, score] = flat.slice(i, i + 2)
    if (member && score) yield { playerId: unpack(member), score: Number(score.toString()), rank: offset + i / 2 + 1 }
  }
}

/**
 * The board of a game in one sorted set, `key`, by default `game:leaderboard`; members are player ids in UTF-16LE, and it never expires.
 * Scores are told on the channel `scores@` + `key` as `<score> <player id in UTF-16LE>`; messages are not kept.
 *
 * One script sets a score and tells of it, so no crash and no order of commands comes in between. Ties: larger bytes first.
 */
export class GameLeaderboard {
  private readonly redis: Redis
  private readonly key: string
  private readonly channel: string

  /** Nothing is sent yet. The board lives in `key` and never expires; a `key` that is no string throws a `TypeError`. */
  constructor(redis: Redis, key = 'game:leaderboard') {
    this.redis = redis
    this.key = text(key, 'key')
    this.channel = `scores@${key}`
  }

  /** Sets the score in `key`, for ever, and tells `scores@key`, both or neither. */
  async addScore(playerId: string, score: number): Promise<void> {
    await set.run(this.redis, this.key, String(points(score)), pack(text(playerId, 'playerId')), this.channel)
  }

  /** 1 + the number of players ahead in `getTopPlayers`, or `null`. */
  async getRank(playerId: string): Promise<number | null> {
    const ahead = await this.redis.zrevrank(this.key, pack(text(playerId, 'playerId')))
    return typeof ahead === 'number' ? ahead + 1 : null
  }

  /** The best `n` of `key`, best first. */
  async getTopPlayers(n = 10): Promise<BoardLine[]> {
    if (count(n, 'n') === 0) return []
    return [...lines(await this.redis.zrangeBuffer(this.key, 0, String(n - 1), 'REV', 'WITHSCORES'), 0)]
  }

  /** The player amid `range` others on each side, read from `key` at one moment. */
  async getNearbyPlayers(playerId: string, range = 2): Promise<BoardLine[]> {
    const found = await around.run(this.redis, this.key, pack(text(playerId, 'playerId')), String(count(range, 'range')))
    if (found === null) return []
    const [offset, flat] = found as [number, Buffer[]]
    return [...lines(flat, offset)]
  }

  /** The score in `key`, or `null`. */
  async getPlayerScore(playerId: string): Promise<number | null> {
    const score = await this.redis.zscore(this.key, pack(text(playerId, 'playerId')))
    return score === null ? null : Number(score)
  }

  /** Listens to `scores@key` on a duplicate of the client until `stop()`; hears each later score once, in the order of the board. */
  async watchScores(listener: (change: { playerId: string; score: number }) => void): Promise<{ stop(): Promise<void> }> {
    if (typeof listener !== 'function') throw new TypeError('listener: a function is wanted')
    const ear = this.redis.duplicate({ lazyConnect: true })
    ear.on('error', () => undefined)
    let deaf = false
    ear.on('messageBuffer', (_channel: Buffer, message: Buffer) => {
      if (deaf) return
      const space = message.indexOf(' ')
      listener({ playerId: unpack(message.subarray(space + 1)), score: Number(message.subarray(0, space).toString()) })
    })
    try {
      await ear.connect()
      await ear.subscribe(this.channel)
    } catch (cause) {
      ear.disconnect()
      throw cause
    }
    return {
      stop: async () => {
        deaf = true
        try {
          await ear.quit()
        } catch {
          ear.disconnect()
        }
      },
    }
  }
}

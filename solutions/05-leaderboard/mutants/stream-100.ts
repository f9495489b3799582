// Mistake: the stream keeps 100 changes: a watcher behind a burst misses some
// Fails: watcher-hears-every-change
import type { Redis } from 'ioredis'

type Entry = { playerId: string; score: number; rank: number }
type Change = { playerId: string; score: number }
type StreamReply = Array<[stream: string, items: Array<[id: string, fields: string[]]>]> | null

const ADD = `
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('XADD', KEYS[2], 'MAXLEN', '100', '*', 'p', ARGV[2], 's', ARGV[1])
`

const NEARBY = `
local rank = redis.call('ZREVRANK', KEYS[1], ARGV[1])
if not rank then return nil end
local from = rank - ARGV[2]
if from < 0 then from = 0 end
return {from, redis.call('ZRANGE', KEYS[1], from, rank + ARGV[2], 'REV', 'WITHSCORES')}
`

function assertString(value: unknown, what: string): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${what} is no string`)
}

function assertNumber(value: unknown, what: string): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${what} is no number`)
}

function assertCount(value: unknown, what: string): void {
  assertNumber(value, what)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${what} is out of range: ${value}`)
}

function entries(flat: string[], from: number): Entry[] {
  const out: Entry[] = []
  for (let i = 0; i < flat.length / 2; i++) {
    out.push({ playerId: flat[2 * i] ?? '', score: Number(flat[2 * i + 1]), rank: from + i + 1 })
  }
  return out
}

/**
 * The board `key`, a sorted set without expiry. Each score is appended to the stream `changes-of:{key}` (no expiry, the last
 * million changes or so) in the script that sets it, and those who watch read the stream: in order, each change once.
 */
export class GameLeaderboard {
  #redis: Redis
  #board: string
  #stream: string

  constructor(redis: Redis, key = 'game:leaderboard') {
    assertString(key, 'key')
    this.#redis = redis
    this.#board = key
    this.#stream = `changes-of:${key}`
  }

  async addScore(playerId: string, score: number): Promise<void> {
    assertString(playerId, 'playerId')
    assertNumber(score, 'score')
    if (Number.isNaN(score) || Math.abs(score) > Number.MAX_SAFE_INTEGER) throw new RangeError(`score is out of range: ${score}`)
    await this.#redis.eval(ADD, 2, this.#board, this.#stream, `${score}`, playerId)
  }

  async getRank(playerId: string): Promise<number | null> {
    assertString(playerId, 'playerId')
    const index = await this.#redis.zrevrank(this.#board, playerId)
    return index === null ? null : index + 1
  }

  async getTopPlayers(n = 10): Promise<Entry[]> {
    assertCount(n, 'n')
    if (n === 0) return []
    return entries(await this.#redis.zrange(this.#board, 0, String(n - 1), 'REV', 'WITHSCORES'), 0)
  }

  async getNearbyPlayers(playerId: string, range = 2): Promise<Entry[]> {
    assertString(playerId, 'playerId')
    assertCount(range, 'range')
    const reply = (await this.#redis.eval(NEARBY, 1, this.#board, playerId, range)) as [number, string[]] | null
    return reply === null ? [] : entries(reply[1], reply[0])
  }

  async getPlayerScore(playerId: string): Promise<number | null> {
    assertString(playerId, 'playerId')
    const text = await this.#redis.zscore(this.#board, playerId)
    return text === null ? null : Number(text)
  }

  async watchScores(listener: (change: Change) => void): Promise<{ stop(): Promise<void> }> {
    if (typeof listener !== 'function') throw new TypeError('listener is no function')
    const last = (await this.#redis.xrevrange(this.#stream, '+', '-', 'COUNT', 1))[0]
    const reader = this.#redis.duplicate({ maxRetriesPerRequest: null })
    reader.on('error', () => {})
    let id = last?.[0] ?? '0-0'
    let stopped = false
    const run = async (): Promise<void> => {
      while (!stopped) {
        let reply: StreamReply
        try {
          reply = (await reader.xread('COUNT', 500, 'BLOCK', 0, 'STREAMS', this.#stream, id)) as StreamReply
        } catch {
          return
        }
        for (const [next, fields] of reply?.[0]?.[1] ?? []) {
          if (stopped) return
          id = next
          listener({ playerId: fields[1] ?? '', score: Number(fields[3]) })
        }
      }
    }
    const running = run()
    return {
      stop: async () => {
        stopped = true
        reader.disconnect()
        await running
      },
    }
  }
}

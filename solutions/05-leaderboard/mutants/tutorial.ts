// Mistake: the leaderboard most tutorials print: a missing player has 0, n = 0 gives everybody, the neighbours are two
//          reads that do not belong together, ZADD and PUBLISH are two steps, and nothing is checked.
// Fails: top-zero-gives-nobody, unknown-player-has-no-score, bad-scores-are-refused, bad-player-ids-are-refused,
// Fails: bad-counts-are-refused, bad-board-keys-are-refused, bad-listeners-are-refused, adding-is-one-round-trip,
// Fails: nearby-is-one-moment, changes-are-heard-in-their-order, crash-leaves-no-unheard-score, nearby-is-one-round-trip
import type { Redis } from 'ioredis'

/** Leaderboard on a sorted set. */
export class GameLeaderboard {
  private readonly redis: Redis
  private readonly key: string

  constructor(redis: Redis, key = 'game:leaderboard') {
    this.redis = redis
    this.key = key
  }

  async addScore(playerId: string, score: number): Promise<void> {
    await this.redis.zadd(this.key, score, playerId)
    await this.redis.publish(`${this.key}:updates`, JSON.stringify({ playerId, score }))
  }

  async getRank(playerId: string): Promise<number | null> {
    const rank = await this.redis.zrevrank(this.key, playerId)
    return rank !== null ? rank + 1 : null
  }

  async getTopPlayers(n = 10): Promise<Array<{ playerId: string; score: number; rank: number }>> {
    const results = await this.redis.zrevrange(this.key, 0, n - 1, 'WITHSCORES')
    const players: Array<{ playerId: string; score: number; rank: number }> = []
    for (let i = 0; i < results.length; i += 2) {
      players.push({ playerId: results[i]!, score: parseFloat(results[i + 1]!), rank: i / 2 + 1 })
    }
    return players
  }

  async getNearbyPlayers(playerId: string, range = 2): Promise<Array<{ playerId: string; score: number; rank: number }>> {
    const rank = await this.redis.zrevrank(this.key, playerId)
    if (rank === null) return []
    const start = Math.max(0, rank - range)
    const results = await this.redis.zrevrange(this.key, start, rank + range, 'WITHSCORES')
    const players: Array<{ playerId: string; score: number; rank: number }> = []
    for (let i = 0; i < results.length; i += 2) {
      players.push({ playerId: results[i]!, score: parseFloat(results[i + 1]!), rank: start + i / 2 + 1 })
    }
    return players
  }

  async getPlayerScore(playerId: string): Promise<number | null> {
    const score = await this.redis.zscore(this.key, playerId)
    return parseFloat(score ?? '0')
  }

  async watchScores(listener: (change: { playerId: string; score: number }) => void): Promise<{ stop(): Promise<void> }> {
    const subscriber = this.redis.duplicate()
    await subscriber.subscribe(`${this.key}:updates`)
    subscriber.on('message', (_channel, message) => {
      listener(JSON.parse(message) as { playerId: string; score: number })
    })
    return {
      async stop() {
        await subscriber.unsubscribe()
        await subscriber.quit()
      },
    }
  }
}

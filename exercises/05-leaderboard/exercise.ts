import type { Redis } from 'ioredis'

export class GameLeaderboard {
  constructor(redis: Redis, key = 'game:leaderboard') {
    throw new Error('TODO: keep the client and the key')
  }

  addScore(playerId: string, score: number): Promise<void> {
    throw new Error('TODO: set the score of the player, and tell whoever watches')
  }

  getRank(playerId: string): Promise<number | null> {
    throw new Error('TODO: the place of the player, 1 for the best; null for nobody')
  }

  getTopPlayers(n = 10): Promise<Array<{ playerId: string; score: number; rank: number }>> {
    throw new Error('TODO: the n best players, best first')
  }

  getNearbyPlayers(playerId: string, range = 2): Promise<Array<{ playerId: string; score: number; rank: number }>> {
    throw new Error('TODO: the player, with up to `range` players above and below')
  }

  getPlayerScore(playerId: string): Promise<number | null> {
    throw new Error('TODO: the score of the player, null for nobody')
  }

  watchScores(listener: (change: { playerId: string; score: number }) => void): Promise<{ stop(): Promise<void> }> {
    throw new Error('TODO: call the listener for every score that is set from now on, until stop()')
  }
}

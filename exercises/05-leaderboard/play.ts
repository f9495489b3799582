// A scratch program: change it as you like. It needs a Redis of yours, named by REDIS_URL.
import { Redis } from 'ioredis'
import { GameLeaderboard } from './exercise.ts'

const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
const board = new GameLeaderboard(redis)

const watching = await board.watchScores(({ playerId, score }) => console.log(`heard: ${playerId} has ${score}`))
for (const [i, playerId] of ['ann', 'bob', 'cem', 'dan', 'eva'].entries()) await board.addScore(playerId, 100 - 10 * i)

console.table(await board.getTopPlayers(3))
console.table(await board.getNearbyPlayers('dan', 1))
console.log('rank of ann:', await board.getRank('ann'), 'of nobody:', await board.getRank('nobody'))
console.log('score of eva:', await board.getPlayerScore('eva'))

await watching.stop()
await redis.quit()

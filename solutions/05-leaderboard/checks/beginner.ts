/**
 * What a leaderboard is: addScore sets, the highest score is best, ranks count from 1, the top and the neighbours come in
 * rank order, ten and two by default. Whoever watches hears of a score that is set.
 */
import { both, check, same } from '#checks'
import { add, boardOf, fill, names, nearbyOf, rankOf, scoreOf, topOf } from './board.ts'
import { growing } from './many-players.ts'
import { allHeard, told, watch } from './watcher.ts'

const FIVE = { cem: 300, ann: 500, eva: 100, bob: 400, dan: 200 }

check('highest-score-comes-first', async ({ learner, did }) => {
  did(both('set the scores of five players and asked for the top', 'đặt điểm cho năm người chơi rồi hỏi những người đứng đầu'))
  const board = await boardOf(learner)
  await fill(board, FIVE)
  same(names(await topOf(board, 5)), ['ann', 'bob', 'cem', 'dan', 'eva'], both('the players, best first', 'những người chơi, giỏi nhất đứng trước'))
  await add(board, 'eva', 600)
  same(names(await topOf(board, 3)), ['eva', 'ann', 'bob'], both('the top three once eva has most', 'ba người đứng đầu sau khi eva có nhiều điểm nhất'))
})

check('rank-counts-from-one', async ({ learner, did }) => {
  did(both('asked for the ranks of those behind the leader', 'hỏi hạng của những người sau người dẫn đầu'))
  const board = await boardOf(learner)
  await fill(board, FIVE)
  const ranks: unknown[] = []
  for (const playerId of ['bob', 'cem', 'dan', 'eva']) ranks.push(await rankOf(board, playerId))
  same(ranks, [2, 3, 4, 5], both('the ranks of bob, cem, dan and eva', 'hạng của bob, cem, dan và eva'))
})

check('unknown-player-has-no-rank', async ({ learner, did }) => {
  did(both('asked for the rank of a player who is not on the board', 'hỏi hạng của người không có trên bảng'))
  const board = await boardOf(learner)
  same(await rankOf(board, 'ann'), null, both('the rank on a board without anybody', 'hạng trên bảng chưa có ai'))
  await fill(board, { ann: 10, bob: 5 })
  same(typeof (await rankOf(board, 'bob')), 'number', both('the type of the rank of bob', 'kiểu của hạng của bob'))
  same(await rankOf(board, 'nobody'), null, both('the rank of nobody', 'hạng của người không có trên bảng'))
})

check('score-is-set-not-added', async ({ learner, did }) => {
  did(both('set a score again: higher, lower, and the same', 'đặt lại điểm: cao hơn, thấp hơn, rồi giữ nguyên'))
  const board = await boardOf(learner)
  const scores: unknown[] = []
  for (const score of [100, 150, 120, 120]) {
    await add(board, 'ann', score)
    scores.push(await scoreOf(board, 'ann'))
  }
  same(scores, [100, 150, 120, 120], both('the scores', 'các điểm số'))
})

check('top-gives-as-many-as-asked', async ({ learner, redis, did }) => {
  did(both('asked for the top of twelve players, with and without a number, then for the top 1500 of 2000',
    'hỏi những người đứng đầu trong mười hai người, có và không truyền số lượng, rồi hỏi 1500 người đứng đầu trong 2000 người'))
  const board = await boardOf(learner)
  const players = Array.from({ length: 12 }, (_, i) => `player-${i}`)
  for (const [i, playerId] of players.entries()) await add(board, playerId, 100 - i)
  same(names(await topOf(board)), players.slice(0, 10), both('the top without a number', 'kết quả khi không truyền số lượng'))
  same(names(await topOf(board, 1)), players.slice(0, 1), both('the top one', 'kết quả khi hỏi một người'))
  same(names(await topOf(board, 4)), players.slice(0, 4), both('the top four', 'kết quả khi hỏi bốn người'))
  same(names(await topOf(board, 50)), players, both('the top fifty of twelve', 'kết quả khi hỏi năm mươi trong mười hai người'))
  const { board: large, grow } = await growing(learner, redis)
  await grow(2000)
  same((await topOf(large, 1500)).length, 1500, both('how many the top 1500 of 2000 are', 'số người khi hỏi 1500 trong 2000 người'))
})

check('nearby-shows-both-sides', async ({ learner, did }) => {
  did(both('asked for the neighbours of a player in the middle', 'hỏi những người xung quanh một người ở giữa bảng'))
  const board = await boardOf(learner)
  await fill(board, { gia: 10, ann: 70, fay: 20, cem: 50, bob: 60, eva: 30, dan: 40 })
  same(names(await nearbyOf(board, 'dan')), ['bob', 'cem', 'dan', 'eva', 'fay'], both('the neighbours of dan without a range', 'những người quanh dan khi không truyền range'))
  same(names(await nearbyOf(board, 'dan', 1)), ['cem', 'dan', 'eva'], both('the neighbours of dan with a range of 1', 'những người quanh dan với range là 1'))
})

check('watcher-hears-a-change', async ({ learner, did }) => {
  did(both('watched a board and set a score', 'theo dõi một bảng rồi đặt điểm'))
  const board = await boardOf(learner, `board-${crypto.randomUUID()}`)
  const watcher = await watch(board)
  await add(board, 'ann', 310)
  await watcher.hears('ann')
  same(told(await allHeard(board, watcher)), ['ann 310'], both('what the listener heard', 'những gì listener nghe được'))
  await watcher.stop()
})

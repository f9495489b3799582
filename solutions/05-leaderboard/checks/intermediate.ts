/**
 * The ends of the board, ties and exact scores: every method agrees on one order, clips at both ends and gives back what
 * was set. Boards are independent, shared by all processes, and last.
 */
import { isDeepStrictEqual } from 'node:util'
import { both, check, same, shown, type Instance } from '#checks'
import { growing, PLANTED } from './many-players.ts'
import { add, boardOf, fill, LARGEST, listOf, names, nearbyOf, rankOf, scoreOf, topOf, written } from './board.ts'
import { watch } from './watcher.ts'

const SIX = { ann: 600, bob: 500, cem: 400, dan: 300, eva: 200, fay: 100 }

check('leader-has-a-rank', async ({ learner, did }) => {
  did(both('asked for the rank of the leader', 'hỏi hạng của người dẫn đầu'))
  const board = await boardOf(learner)
  await add(board, 'ann', 10)
  same(await rankOf(board, 'ann'), 1, both('the rank of the only player', 'hạng của người chơi duy nhất'))
  await add(board, 'bob', 20)
  same(await rankOf(board, 'bob'), 1, both('the rank of the new leader', 'hạng của người dẫn đầu mới'))
})

check('ranks-follow-the-top', async ({ learner, did }) => {
  did(both('gave players equal scores and compared getRank with getTopPlayers of everyone', 'cho nhiều người bằng điểm rồi so getRank với getTopPlayers của tất cả'))
  const board = await boardOf(learner)
  await fill(board, TIES)
  const top = await topOf(board, 100)
  same(names(top).toSorted(), Object.keys(TIES).toSorted(), both('the players on the board', 'những người có trên bảng'))
  for (const [i, { playerId, rank }] of top.entries()) {
    same({ ofRank: await rankOf(board, playerId), inTop: rank }, { ofRank: i + 1, inTop: i + 1 },
      both(`what getRank says of ${playerId}, and the rank beside that name in the top`, `hạng mà getRank trả về cho ${playerId}, và hạng ghi cạnh tên đó trong getTopPlayers`))
  }
  same(names(await topOf(board, 4)), names(top).slice(0, 4), both('the top four of the same board', 'bốn người đứng đầu của cùng bảng đó'))
})

check('nearby-follows-the-top', async ({ learner, did }) => {
  did(both('gave players equal scores and compared getNearbyPlayers with getTopPlayers of everyone', 'cho nhiều người bằng điểm rồi so getNearbyPlayers với getTopPlayers của tất cả'))
  const board = await boardOf(learner)
  await fill(board, TIES)
  const top = (await topOf(board, 100)).map((place, i) => ({ ...place, rank: i + 1 }))
  // Away from the ends: what happens there is a promise of its own.
  for (const i of [2, 4, 7]) {
    same(written(await nearbyOf(board, top[i]!.playerId, 2)), written(top.slice(i - 2, i + 3)),
      both(`the neighbours of ${top[i]!.playerId}`, `những người quanh ${top[i]!.playerId}`))
  }
})

check('nearby-is-clipped-at-the-ends', async ({ learner, redis, did }) => {
  did(both('asked for neighbours with ranges that reach beyond the ends of the board, then with a range of 1500 for the lowest of 2000',
    'gọi getNearbyPlayers với range vượt quá đầu hoặc cuối bảng, rồi với range 1500 cho người thấp nhất trong 2000 người'))
  const board = await boardOf(learner)
  await fill(board, SIX)
  const cases: [string, number, string[]][] = [
    ['ann', 2, ['ann', 'bob', 'cem']],
    ['bob', 2, ['ann', 'bob', 'cem', 'dan']],
    ['eva', 3, ['bob', 'cem', 'dan', 'eva', 'fay']],
    ['fay', 1, ['eva', 'fay']],
    ['cem', 100, Object.keys(SIX)],
    ['dan', LARGEST, Object.keys(SIX)],
  ]
  for (const [playerId, range, expected] of cases) {
    const call = `getNearbyPlayers('${playerId}', ${range})`
    const ranked = expected.map((name) => `${name} ${SIX[name as keyof typeof SIX]} (${Object.keys(SIX).indexOf(name) + 1})`)
    same(written(await nearbyOf(board, playerId, range)), ranked, both(call, call))
  }
  const { board: large, grow } = await growing(learner, redis)
  const players = await grow(2000)
  same((await nearbyOf(large, PLANTED.lowest, 1500)).length, 1501, both(`how many of ${players} are within 1500 of the lowest`, `số người quanh người thấp nhất với range bằng 1500, trong ${players} người`))
})

check('range-zero-gives-the-player', async ({ learner, did }) => {
  did(both('asked for the neighbours within a range of 0', 'hỏi những người xung quanh với range bằng 0'))
  const board = await boardOf(learner)
  await fill(board, SIX)
  for (const playerId of ['ann', 'cem', 'fay']) {
    same(names(await nearbyOf(board, playerId, 0)), [playerId], both(`the neighbours of ${playerId} within 0`, `những người quanh ${playerId} với range bằng 0`))
  }
})

check('unknown-player-has-no-neighbours', async ({ learner, did }) => {
  did(both('asked for the neighbours of a player who is not on the board', 'hỏi những người quanh một người không có trên bảng'))
  const board = await boardOf(learner)
  same(await nearbyOf(board, 'ann'), [], both('the neighbours on a board without anybody', 'kết quả trên bảng chưa có ai'))
  await fill(board, SIX)
  same((await nearbyOf(board, 'cem', 1)).length, 3, both('how many the neighbours of cem are', 'số người quanh cem'))
  same(await nearbyOf(board, 'nobody'), [], both('the neighbours of nobody', 'kết quả cho người không có trên bảng'))
})

check('top-zero-gives-nobody', async ({ learner, did }) => {
  did(both('asked for the top 0', 'hỏi getTopPlayers(0)'))
  const board = await boardOf(learner)
  await fill(board, SIX)
  same((await topOf(board, 2)).length, 2, both('how many the top 2 are', 'số người khi n là 2'))
  same(await topOf(board, 0), [], both('the top 0', 'kết quả khi n là 0'))
})

check('unknown-player-has-no-score', async ({ learner, did }) => {
  did(both('asked for the score of a player who is not on the board', 'hỏi điểm của người không có trên bảng'))
  const board = await boardOf(learner)
  same(await scoreOf(board, 'ann'), null, both('the score on a board without anybody', 'điểm trên bảng chưa có ai'))
  await add(board, 'ann', 7)
  same(await scoreOf(board, 'ann'), 7, both('the score of ann', 'điểm của ann'))
  same(await scoreOf(board, 'nobody'), null, both('the score of nobody', 'điểm của người không có trên bảng'))
})

check('zero-is-a-score', async ({ learner, did }) => {
  did(both('set a score of 0', 'đặt điểm bằng 0'))
  const board = await boardOf(learner)
  await fill(board, { ann: 5, bob: 0, cem: -5 })
  same(await scoreOf(board, 'bob'), 0, both('the score of bob', 'điểm của bob'))
  same(written(await topOf(board, 3)), ['ann 5 (1)', 'bob 0 (2)', 'cem -5 (3)'], both('the board', 'bảng xếp hạng'))
})

check('results-have-their-types', async ({ learner, did }) => {
  did(both('looked at the types of everything that comes back', 'xem kiểu của mọi giá trị trả về'))
  const board = await boardOf(learner)
  await fill(board, { ann: 30, bob: 20, cem: 10 })
  const three = [{ playerId: 'ann', score: 30, rank: 1 }, { playerId: 'bob', score: 20, rank: 2 }, { playerId: 'cem', score: 10, rank: 3 }]
  same(typeof (await board.call('getPlayerScore', 'bob')), 'number', both("the type of what getPlayerScore('bob') gave", "kiểu kết quả của getPlayerScore('bob')"))
  same(typeof (await board.call('getRank', 'bob')), 'number', both("the type of what getRank('bob') gave", "kiểu kết quả của getRank('bob')"))
  same(await listOf(board, 'getTopPlayers', 3), three, both('what getTopPlayers(3) gave', 'kết quả của getTopPlayers(3)'))
  same(await listOf(board, 'getNearbyPlayers', 'bob', 1), three, both("what getNearbyPlayers('bob', 1) gave", "kết quả của getNearbyPlayers('bob', 1)"))
})

check('scores-come-back-exactly', async ({ learner, did }) => {
  did(both('set large, negative and fractional scores and read them back', 'đặt các điểm lớn, âm và lẻ rồi đọc lại'))
  const board = await boardOf(learner)
  const scores = [LARGEST, LARGEST - 1, 1e15 + 0.5, 1_764_000_000_123, 12_345.6789, 10, 9, 1 / 3, 0.1 + 0.2, 0.1, 1e-7, -1e-7, -0.5, -9, -10, -(2 ** 40) - 0.25, 1 - LARGEST, -LARGEST]
  const places = scores.toSorted((a, b) => b - a).map((score, i) => ({ playerId: `player-${i}`, score, rank: i + 1 }))
  // Neither in the order of the scores nor against it.
  for (let i = 0; i < places.length; i++) {
    const { playerId, score } = places[(i * 7) % places.length]!
    await add(board, playerId, score)
  }
  for (const { playerId, score } of places) same(await scoreOf(board, playerId), score, both(`the score of ${playerId}`, `điểm của ${playerId}`))
  same(written(await topOf(board, LARGEST)), written(places), both('the whole board', 'toàn bộ bảng'))
  same(written(await nearbyOf(board, places[9]!.playerId, 8)), written(places.slice(1, 18)), both('the neighbours within 8 of the tenth', 'những người quanh người thứ mười với range bằng 8'))
})

check('any-player-id-works', async ({ learner, did }) => {
  did(both('set the scores of players whose ids look alike or hold unusual characters', 'đặt điểm cho những người chơi có id gần giống nhau hoặc chứa ký tự lạ'))
  const ids = ['a', 'a:b', ':', 'A', 'a b', ' a', '*', '{a}', '[', '(', '-', '+', '-inf', 'a,b', 'a"b\'', 'a\n', '%41', 'ă', '\u00e9', 'e\u0301', '🎲', '__proto__', 'constructor', '10', '9', '1', '0', 'null', 'x'.repeat(200)]
  const board = await boardOf(learner)
  for (const [i, playerId] of ids.entries()) await add(board, playerId, 1000 - i)
  for (const [i, playerId] of ids.entries()) {
    same(await scoreOf(board, playerId), 1000 - i, both(`the score of ${shown(playerId.slice(0, 20))}`, `điểm của ${shown(playerId.slice(0, 20))}`))
  }
  // Where ranks begin, and which end is best, are promises of their own.
  const ranks = await Promise.all(ids.slice(1).map((playerId) => rankOf(board, playerId)))
  same(new Set(ranks.filter((rank) => typeof rank === 'number')).size, ids.length - 1, both('how many different ranks all but the first have', 'số hạng khác nhau của họ, trừ người đầu tiên'))
  same(names(await topOf(board, ids.length)), ids, both('the players, best first', 'những người chơi, giỏi nhất đứng trước'))
  same(names(await nearbyOf(board, '10', 5)), ids.slice(18, 29), both('the neighbours of "10" within 5', 'những người quanh "10" với range bằng 5'))
})

check('boards-are-independent', async ({ learner, did }) => {
  did(both('kept boards whose keys look alike', 'dùng các bảng có key gần giống nhau'))
  const keys = ['game', 'game:1', 'game:2', 'Game', 'game*', 'week 7']
  const boards = await Promise.all(keys.map((key) => boardOf(learner, key)))
  for (const [i, board] of boards.entries()) await fill(board, { ann: i + 1, [`only-${i}`]: 100 - i })
  for (const [i, board] of boards.entries()) {
    same(written(await topOf(board, 10)), [`only-${i} ${100 - i} (1)`, `ann ${i + 1} (2)`], both(`the board ${shown(keys[i])}`, `bảng ${shown(keys[i])}`))
    same(await scoreOf(board, 'ann'), i + 1, both(`the score of ann on the board ${shown(keys[i])}`, `điểm của ann trên bảng ${shown(keys[i])}`))
  }
})

check('default-board-is-game-leaderboard', async ({ learner, did }) => {
  did(both('made a board without a key and one with the key game:leaderboard', 'tạo một bảng không truyền key và một bảng có key game:leaderboard'))
  const unnamed = await boardOf(learner)
  const named = await boardOf(learner, 'game:leaderboard')
  await add(unnamed, 'ann', 7)
  same(await scoreOf(named, 'ann'), 7, both('the score, asked on the board game:leaderboard', 'điểm khi hỏi trên bảng game:leaderboard'))
})

check('processes-share-the-board', async ({ learner, another, did }) => {
  did(both('set scores in one process and asked in another, then the other way round', 'đặt điểm ở một tiến trình và hỏi ở tiến trình khác, rồi ngược lại'))
  const other = await another()
  const [here, there] = await Promise.all([boardOf(learner), boardOf(other)])
  const answers = async (board: Instance): Promise<unknown> =>
    ({ score: await scoreOf(board, 'bob'), rank: await rankOf(board, 'bob'), top: written(await topOf(board, 5)), nearby: written(await nearbyOf(board, 'bob', 1)) })
  await fill(here, { ann: 50, bob: 20, cem: 40, dan: 10, eva: 30 })
  const first = await answers(here)
  same((await topOf(here, 5)).length, 5, both('how many are on the board', 'số người có trên bảng'))
  same(await answers(there), first, both('what the other process says of bob', 'kết quả về bob ở tiến trình kia'))
  await add(there, 'bob', 45)
  const second = await answers(there)
  same(isDeepStrictEqual(first, second), false, both('whether the other process still says the same after it has set the score', 'tiến trình kia vẫn trả lời như cũ sau khi đã đặt điểm'))
  same(await answers(here), second, both('what the first process says once the other has set the score', 'kết quả ở tiến trình đầu sau khi tiến trình kia đặt điểm'))
})

check('scores-never-expire', async ({ learner, redis, did }) => {
  did(both('set scores, called every other method, then deleted every key that has an expiry',
    'đặt điểm, gọi mọi phương thức khác, rồi cho hết hạn mọi key có thời hạn'))
  const board = await boardOf(learner)
  await fill(board, { ann: 20, bob: 10 })
  await Promise.all([rankOf(board, 'ann'), scoreOf(board, 'ann'), topOf(board, 2), nearbyOf(board, 'bob', 1)])
  await (await watch(board)).stop()
  for (const key of await redis.keys('*')) if ((await redis.pttl(key)) !== -1) await redis.del(key)
  same(await scoreOf(board, 'ann'), 20, both('the score of ann', 'điểm của ann'))
  same(names(await topOf(board, 5)), ['ann', 'bob'], both('the board', 'bảng xếp hạng'))
})

/** Groups of equal scores, added in no order of the names; ids that sort differently as text and by length. */
const TIES = {
  mia: 50, ann: 50, zoe: 50, bob: 50, 'player-10': 20, 'player-9': 20, 'player-100': 20, Zed: 20, kim: 0, abe: 0, ömer: 0,
}

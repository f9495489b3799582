/**
 * Bad input is refused before anything is sent, with an error that says what is wrong with it; a command that fails
 * reaches the caller.
 */
import { both, check, plantWrongType, refuses, rejects, same, settled, shown, wrongTypesMet, type Instance, type Learner } from '#checks'
import { add, boardOf, fill, nearbyOf, rankOf, scoreOf, topOf, written } from './board.ts'

const EITHER = ['TypeError', 'RangeError']

/** Of another type than a number; where it reads like one, either error will do. */
const NO_NUMBERS: [unknown, string[]][] = [
  [null, ['TypeError']], [true, ['TypeError']], [{}, ['TypeError']], [[5], ['TypeError']],
  ['5', EITHER], ['', EITHER], [NaN, EITHER], [Infinity, EITHER], [-Infinity, EITHER],
]

check('bad-scores-are-refused', async ({ learner, did }) => {
  did(both('set invalid scores, of players new and known', 'đặt những điểm không hợp lệ, cho người mới và người đã có'))
  const board = await boardWithAnn(learner)
  const bad: [unknown, string[]][] = [...NO_NUMBERS, [undefined, ['TypeError']], [2 ** 53, ['RangeError']], [-(2 ** 53), ['RangeError']], [1e300, ['RangeError']]]
  for (const [score, classes] of bad) {
    for (const playerId of ['ann', 'bob']) await refused(learner, board, 'addScore', [playerId, score], classes)
  }
  same(written(await topOf(board, 5)), ['cem 9 (1)', 'ann 7 (2)'], both('the board afterwards', 'bảng xếp hạng sau đó'))
})

check('bad-player-ids-are-refused', async ({ learner, did }) => {
  did(both('called every method that takes a player id with ones that are no strings', 'gọi mọi phương thức nhận playerId với playerId không phải chuỗi'))
  const board = await boardWithAnn(learner)
  for (const playerId of [undefined, null, 42, true, {}, ['ann']]) {
    for (const method of ['getRank', 'getPlayerScore', 'getNearbyPlayers']) await refused(learner, board, method, [playerId], ['TypeError'])
    await refused(learner, board, 'addScore', [playerId, 5], ['TypeError'])
  }
})

check('bad-counts-are-refused', async ({ learner, did }) => {
  did(both('called getTopPlayers and getNearbyPlayers with an invalid n or range', 'gọi getTopPlayers và getNearbyPlayers với n hoặc range không hợp lệ'))
  const board = await boardWithAnn(learner)
  const bad: [unknown, string[]][] = [...NO_NUMBERS, [-1, ['RangeError']], [-10, ['RangeError']], [1.5, ['RangeError']], [2 ** 53, ['RangeError']]]
  for (const [count, classes] of bad) {
    await refused(learner, board, 'getTopPlayers', [count], classes)
    await refused(learner, board, 'getNearbyPlayers', ['ann', count], classes)
  }
})

check('bad-board-keys-are-refused', async ({ learner, did }) => {
  did(both('made boards with keys that are no strings', 'tạo bảng với key không phải chuỗi'))
  await boardWithAnn(learner)
  for (const key of [null, 42, {}, ['game']]) {
    await refuses(() => learner.make('GameLeaderboard', learner.redis, key), ['TypeError'],
      both(`a board with the key ${shown(key)}`, `bảng có key ${shown(key)}`), { throws: true })
  }
})

check('bad-listeners-are-refused', async ({ learner, did }) => {
  did(both('watched with listeners that are no functions', 'theo dõi với listener không phải hàm'))
  const board = await boardWithAnn(learner)
  const before = learner.wire.made()
  for (const listener of [undefined, null, 'listener', {}]) await refused(learner, board, 'watchScores', [listener], ['TypeError'])
  same(learner.wire.made() - before, 0, both('connections made for them', 'số kết nối đã mở cho các listener đó'))
})

check('failed-command-rejects', async ({ learner, redis, did }) => {
  did(both('gave the keys of the board another type, all at once and one by one', 'đổi kiểu các key của bảng, tất cả cùng lúc rồi từng key một'))
  const board = await boardOf(learner)
  await fill(board, { ann: 20, bob: 10 })
  same([typeof (await rankOf(board, 'bob')), await scoreOf(board, 'ann'), (await topOf(board, 2)).length, (await nearbyOf(board, 'bob', 1)).length],
    ['number', 20, 2, 2], both('what the board says while all is well', 'kết quả từ bảng khi mọi thứ bình thường'))
  const keys = await redis.keysBuffer('*')
  for (const key of keys) await plantWrongType(redis, key)
  const calls: [string, ...unknown[]][] = [['addScore', 'ann', 30], ['getRank', 'ann'], ['getPlayerScore', 'ann'], ['getTopPlayers', 3], ['getNearbyPlayers', 'ann']]
  for (const [method, ...args] of calls) {
    await rejects(() => board.call(method, ...args), both(`${method}(…) on keys of a wrong type`, `${method}(…) khi key sai kiểu`))
  }
  // One at a time: no command need fail, but if the server says one did, the caller must hear of it.
  for (const key of keys.length > 1 ? keys : []) {
    await redis.flushdb()
    await fill(board, { ann: 20, bob: 10 })
    await plantWrongType(redis, key)
    const before = await wrongTypesMet(redis)
    const outcome = await settled(add(board, 'ann', 30))
    if ((await wrongTypesMet(redis)) === before) continue
    same('error' in outcome, true, both(`that addScore rejects with a wrong type at ${key.toString().slice(0, 40)}, where a command failed`,
      `việc addScore báo lỗi khi ${key.toString().slice(0, 40)} sai kiểu và có lệnh bị lỗi`))
  }
})

/** The positive control: what is refused later works with good input. */
async function boardWithAnn(learner: Learner): Promise<Instance> {
  const board = await boardOf(learner, 'board')
  await fill(board, { ann: 7, cem: 9 })
  same([await scoreOf(board, 'ann'), typeof (await rankOf(board, 'ann')), (await topOf(board, 2)).length, (await nearbyOf(board, 'ann', 1)).length],
    [7, 'number', 2, 2], both('the score of ann, the type of her rank, and how many the top two and her neighbours are',
      'điểm của ann, kiểu của hạng của ann, số người đứng đầu khi hỏi hai và số người quanh ann'))
  return board
}

async function refused(learner: Learner, board: Instance, method: string, args: unknown[], classes: readonly string[]): Promise<void> {
  const call = `${method}(${args.map(shown).join(', ')})`
  learner.wire.forget()
  await refuses(() => board.call(method, ...args), classes, both(call, call))
  same(learner.wire.commands().length, 0, both(`commands sent by ${call}`, `số lệnh được gửi bởi ${call}`))
}

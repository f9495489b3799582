/**
 * A watcher hears every score that is set on its board after it began to watch, once and in order, whoever sets it, and
 * nothing else; on a connection of its own, so that the client stays free. After stop() it hears nothing.
 */
import { randomUUID } from 'node:crypto'
import { both, check, holds, quiet, same, storm, until, type Learner } from '#checks'
import { add, boardOf, fill, LARGEST, names, nearbyOf, rankOf, scoreOf, topOf } from './board.ts'
import { allHeard, told, watch } from './watcher.ts'

/** Pub/Sub is one for all databases of a server: a board that nobody else has. */
const newKey = (): string => `board-${randomUUID()}`

check('watcher-hears-every-change', async ({ learner, did }) => {
  did(both('set 20 scores one after the other, then 20 at once, then 500 at once, each time of another player',
    'đặt 20 điểm lần lượt, rồi 20 điểm cùng lúc, rồi 500 điểm cùng lúc, mỗi đợt cho một người khác'))
  const board = await boardOf(learner, newKey())
  const watcher = await watch(board)
  const scores = Array.from({ length: 20 }, (_, i) => (i * 7) % 20)
  for (const score of scores) await add(board, 'ann', score)
  same(told(await allHeard(board, watcher)), scores.map((score) => `ann ${score}`),
    both('what the listener heard of 20 calls', 'những gì listener nghe được từ 20 lời gọi'))
  // Calls at once have no order of their own.
  await storm(20, (i) => add(board, 'bob', i))
  const ofBob = (await allHeard(board, watcher)).filter(({ playerId }) => playerId === 'bob')
  same(told(ofBob).toSorted(), scores.map((score) => `bob ${score}`).toSorted(),
    both('what the listener heard of 20 calls at once, sorted', 'những gì listener nghe được từ 20 lời gọi cùng lúc, đã sắp xếp'))
  await storm(500, (i) => add(board, 'cem', i))
  const ofCem = new Set(told(await allHeard(board, watcher)).filter((change) => change.startsWith('cem ')))
  same(ofCem.size, 500, both('how many of 500 scores set at once the listener heard', 'số điểm nghe được trong 500 điểm đặt cùng lúc'))
  await watcher.stop()
})

check('unchanged-score-is-heard', async ({ learner, did }) => {
  did(both('set a score, and set the same score again', 'đặt một điểm, rồi đặt lại đúng điểm đó'))
  const board = await boardOf(learner, newKey())
  const watcher = await watch(board)
  for (const score of [5, 5, 6]) await add(board, 'ann', score)
  same(told(await allHeard(board, watcher)), ['ann 5', 'ann 5', 'ann 6'], both('what the listener heard', 'những gì listener nghe được'))
  await watcher.stop()
})

check('changes-come-as-given', async ({ learner, did }) => {
  did(both('set scores that are hard to write down, of players with unusual ids', 'đặt những điểm khó ghi lại, cho những người chơi có id khác thường'))
  const board = await boardOf(learner, newKey())
  const watcher = await watch(board)
  const changes = [
    { playerId: 'a:b', score: LARGEST }, { playerId: 'a,b|c d', score: -LARGEST }, { playerId: '{"a":"b"}', score: 0.1 + 0.2 },
    { playerId: ' ă🎲\n', score: -1e-7 }, { playerId: '10', score: 12_345.6789 }, { playerId: '__proto__', score: -10 },
    { playerId: 'a\0b\x1fc', score: 3 }, { playerId: '%41', score: 4 }, { playerId: '%0041', score: 5 },
  ]
  for (const { playerId, score } of changes) await add(board, playerId, score)
  await add(board, 'end', 1)
  await watcher.hears('end')
  same(watcher.raw, [...changes, { playerId: 'end', score: 1 }], both('what the listener was called with', 'những gì được truyền cho listener'))
  await watcher.stop()
})

check('watcher-hears-other-processes', async ({ learner, another, did }) => {
  did(both('set scores in two processes in turn, watched from a third', 'đặt điểm lần lượt ở hai tiến trình, theo dõi từ tiến trình thứ ba'))
  const key = newKey()
  const others = await Promise.all([another(), another()])
  const writers = await Promise.all(others.map((other) => boardOf(other, key)))
  const board = await boardOf(learner, key)
  const watcher = await watch(board)
  for (let i = 0; i < 6; i++) await add(writers[i % 2]!, 'ann', i)
  same(told(await allHeard(writers[0]!, watcher)), [0, 1, 2, 3, 4, 5].map((score) => `ann ${score}`), both('what the listener heard', 'những gì listener nghe được'))
  await watcher.stop()
})

check('watcher-hears-its-board-only', async ({ learner, did }) => {
  did(both('watched boards whose keys look alike, and set a score on each', 'theo dõi các bảng có key gần giống nhau và đặt điểm trên từng bảng'))
  const key = newKey()
  const keys = [key, key.toUpperCase(), `${key}:1`, `${key}*`, `${key}?1`, `${key.slice(0, -1)}[${key.at(-1)}]`, '*']
  const boards = await Promise.all(keys.map((name) => boardOf(learner, name)))
  const watchers = await Promise.all(boards.map((board) => watch(board)))
  for (const [i, board] of boards.entries()) await add(board, 'ann', i)
  for (const [i, board] of boards.entries()) {
    const heard = (await allHeard(board, watchers[i]!)).filter(({ playerId }) => playerId === 'ann')
    same(told(heard), [`ann ${i}`], both(`what is heard on the board ${keys[i]}`, `những gì nghe được trên bảng ${keys[i]}`))
  }
  await Promise.all(watchers.map((watcher) => watcher.stop()))
})

check('watcher-hears-what-comes-later', async ({ learner, did }) => {
  did(both('set scores, then began to watch', 'đặt điểm, rồi mới bắt đầu theo dõi'))
  const board = await boardOf(learner, newKey())
  const early = await watch(board)
  await fill(board, { ann: 1, bob: 2 })
  await early.hears('bob')
  const watcher = await watch(board)
  await add(board, 'cem', 3)
  same(told(await allHeard(board, watcher)), ['cem 3'], both('what is heard by a watcher that began after two scores were set', 'những gì nghe được khi bắt đầu theo dõi sau hai lần đặt điểm'))
  await Promise.all([early.stop(), watcher.stop()])
})

check('watching-has-begun-when-it-resolves', async ({ learner, another, did }) => {
  did(both('held the commands of watchScores, let through no more than it waited for, then set a score elsewhere',
    'giữ các lệnh của watchScores, chỉ cho qua những lệnh mà nó chờ, rồi đặt điểm ở tiến trình khác'))
  const key = newKey()
  const writer = await boardOf(await another(), key)
  const watching = await learner.withRedis()
  const board = await boardOf(watching, key)
  const held: (() => void)[] = []
  watching.wire.gate = () => new Promise((resolve) => held.push(() => resolve('pass')))
  let resolved = false
  const begun = watch(board).finally(() => { resolved = true })
  begun.catch(() => {})
  while (!resolved) {
    await until(() => resolved || held.length > 0, both('watchScores to resolve', 'watchScores hoàn tất'))
    await quiet(learner)
    if (!resolved) held.shift()?.()
  }
  const watcher = await begun
  await add(writer, 'first', 1)
  watching.wire.gate = null
  for (const release of held) release()
  let later = 0
  await until(async () => {
    await add(writer, 'later', ++later)
    return watcher.heard().length > 0
  }, both('the listener to hear anything', 'listener nghe được gì đó'))
  same(watcher.heard()[0], { playerId: 'first', score: 1 }, both('the first thing heard', 'điều nghe được đầu tiên'))
  await watcher.stop()
})

check('watching-leaves-the-client-free', async ({ learner, did }) => {
  did(both('watched a board and went on using the client', 'theo dõi một bảng và vẫn dùng tiếp client'))
  const board = await boardOf(learner, newKey())
  const watcher = await watch(board)
  await fill(board, { ann: 30, bob: 20, cem: 10 })
  same([typeof (await rankOf(board, 'bob')), await scoreOf(board, 'cem'), names(await topOf(board, 2)), names(await nearbyOf(board, 'cem', 1))],
    ['number', 10, ['ann', 'bob'], ['bob', 'cem']], both('the type of the rank of bob, the score of cem, the top two and the neighbours of cem while the board is watched',
      'kiểu của hạng của bob, điểm của cem, hai người đứng đầu và những người quanh cem trong khi bảng được theo dõi'))
  await watcher.hears('cem')
  holds(learner.wire.open() > 1, both('connections while a board is watched', 'số kết nối trong khi theo dõi một bảng'),
    both('the given one, and one of the watcher\'s own', 'kết nối được truyền vào và kết nối riêng của bên theo dõi'), String(learner.wire.open()))
  await watcher.stop()
})

check('stopped-watcher-hears-nothing', async ({ learner, did }) => {
  did(both('stopped one of the watchers of a board, then set more scores', 'dừng một trong các bên theo dõi cùng bảng, rồi đặt thêm điểm'))
  const key = newKey()
  const board = await boardOf(learner, key)
  const [stopped, other, third] = [await watch(board), await watch(board), await watch(await boardOf(learner, key))]
  await add(board, 'ann', 1)
  await Promise.all([stopped.hears('ann'), other.hears('ann')])
  await stopped.stop()
  for (let score = 2; score <= 5; score++) await add(board, 'ann', score)
  // Another object's watcher, in the same process, shows when the scores have come that far.
  await allHeard(board, third)
  await quiet(learner)
  same(told(stopped.heard()), ['ann 1'], both('what the stopped listener heard', 'những gì listener đã dừng nghe được'))
  await Promise.all([other.stop(), third.stop()])
})

check('other-watchers-go-on', async ({ learner, did }) => {
  did(both('watched two boards with three watchers, stopped two of them one after the other, later began a new one; then watched one board by two objects, stopped one watcher, and let others begin and stop at the same time',
    'theo dõi hai bảng bằng ba bên, lần lượt dừng hai bên, sau đó mở thêm một bên mới; rồi theo dõi một bảng qua hai đối tượng, dừng một bên, và cho bên khác bắt đầu đúng lúc bên cũ dừng'))
  const key = newKey()
  const [board, elsewhere] = [await boardOf(learner, key), await boardOf(learner, `${key}:other`)]
  const [first, second, third] = [await watch(board), await watch(board), await watch(elsewhere)]
  await first.stop()
  await add(board, 'ann', 1)
  same(told(await allHeard(board, second)), ['ann 1'], both('what the second watcher hears once the first has stopped', 'những gì bên theo dõi thứ hai nghe được sau khi bên thứ nhất dừng'))
  await second.stop()
  await add(elsewhere, 'bob', 2)
  same(told(await allHeard(elsewhere, third)).slice(-1), ['bob 2'], both('the last thing the watcher of another board hears then', 'điều cuối cùng bên theo dõi bảng kia nghe được sau đó'))
  await third.stop()
  const again = await watch(board)
  await add(board, 'cem', 3)
  same(told(await allHeard(board, again)).slice(-1), ['cem 3'], both('the last thing a new watcher hears', 'điều cuối cùng bên theo dõi mới nghe được'))
  const twin = await boardOf(learner, key)
  const ofTwin = await watch(twin)
  await again.stop()
  await add(board, 'dan', 4)
  same(told(await allHeard(board, ofTwin)).slice(-1), ['dan 4'], both('the last thing that the watcher of another object hears once the one of this object has stopped', 'điều cuối cùng bên theo dõi qua đối tượng khác nghe được sau khi bên của đối tượng này dừng'))
  // The new one begins first, then the old one stops first.
  const [next] = await Promise.all([watch(twin), ofTwin.stop()])
  await add(board, 'eva', 5)
  same(told(await allHeard(board, next)).slice(-1), ['eva 5'], both('the last thing heard by a watcher that began while the only other one stopped', 'điều cuối cùng nghe được ở bên bắt đầu theo dõi đúng lúc bên duy nhất kia dừng'))
  const [, last] = await Promise.all([next.stop(), watch(twin)])
  await add(board, 'fay', 6)
  same(told(await allHeard(board, last)).slice(-1), ['fay 6'], both('the last thing heard by a watcher that began right after the only other one stopped', 'điều cuối cùng nghe được ở bên bắt đầu theo dõi ngay sau khi bên duy nhất kia dừng'))
  await last.stop()
})

check('no-leaked-connection', async ({ learner, did }) => {
  did(both('set scores at once, called every other method, watched twice and stopped, then counted the connections',
    'đặt nhiều điểm cùng lúc, gọi mọi phương thức khác, theo dõi hai lần rồi dừng, sau đó đếm số kết nối'))
  const board = await boardOf(learner, newKey())
  await storm(8, (i) => add(board, `player-${i}`, i))
  await callEveryQuestion(learner)
  const watchers = [await watch(board), await watch(board)]
  await add(board, 'ann', 1)
  for (const watcher of watchers) await watcher.stop()
  await until(() => learner.wire.open() === 1, both('the connections made by duplicate() to be closed', 'các kết nối tạo bằng duplicate() được đóng'), 1500)
})

async function callEveryQuestion(learner: Learner): Promise<void> {
  const board = await boardOf(learner, newKey())
  await fill(board, { ann: 2, bob: 1 })
  await rankOf(board, 'ann')
  await scoreOf(board, 'ann')
  await topOf(board, 2)
  await nearbyOf(board, 'ann', 1)
}

/**
 * What it may cost: one round trip for a call, two at most for the neighbours, and one for full marks; and the replies do
 * not grow with the board. Nothing goes through all keys.
 */
import { atMost, both, check, commandsRun, type Instance, type Learner, same } from '#checks'
import { add, boardOf, fill, names, nearbyOf, rankOf, scoreOf, topOf } from './board.ts'
import { growing, PLANTED, type Growing } from './many-players.ts'
import { watch } from './watcher.ts'

const FOUR = { ann: 40, bob: 30, cem: 20, dan: 10 }

check('adding-is-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of addScore, for players new and known', 'đếm số lượt gửi–nhận của addScore, với người mới và người đã có'))
  const board = await warmBoard(learner)
  for (const [playerId, score] of [['eva', 5], ['ann', 50], ['eva', 6]] as const) {
    const before = await scoreOf(board, playerId)
    const { trips } = await learner.roundTrips(() => add(board, playerId, score))
    atMost(trips, 1, both('round trips of one addScore', 'số lượt gửi–nhận của một lần addScore'))
    same(await scoreOf(board, playerId) !== before, true, both(`whether the score of ${playerId} is another one then`, `điểm của ${playerId} đã thay đổi`))
  }
})

check('asking-is-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of getRank, getPlayerScore and getTopPlayers', 'đếm số lượt gửi–nhận của getRank, getPlayerScore và getTopPlayers'))
  const board = await warmBoard(learner)
  const questions: [string, (board: Instance) => Promise<unknown>, unknown][] = [
    ['getRank', async (b) => typeof (await rankOf(b, 'cem')), 'number'],
    ['getPlayerScore', (b) => scoreOf(b, 'cem'), 20],
    ['getTopPlayers', async (b) => names(await topOf(b, 3)), ['ann', 'bob', 'cem']],
    ['getTopPlayers', async (b) => names(await topOf(b)), ['ann', 'bob', 'cem', 'dan']],
  ]
  for (const [method, ask, expected] of questions) {
    const { trips, answer } = await counted(learner, () => ask(board))
    atMost(trips, 1, both(`round trips of one ${method}`, `số lượt gửi–nhận của một lần ${method}`))
    same(answer, expected, method === 'getRank' ? both('the type of what getRank gave', 'kiểu kết quả của getRank') : both(`what ${method} gave`, `kết quả của ${method}`))
  }
})

check('nearby-is-two-round-trips-at-most', ({ learner, did }) => {
  did(NEARBY_COUNTED)
  return nearbyCosts(learner, 2)
})

check('nearby-is-one-round-trip', ({ learner, did }) => {
  did(NEARBY_COUNTED)
  return nearbyCosts(learner, 1)
})

const NEARBY_COUNTED = both('counted the round trips of getNearbyPlayers in the middle and at the end',
  'đếm số lượt gửi–nhận của getNearbyPlayers ở giữa và cuối bảng')

async function nearbyCosts(learner: Learner, most: number): Promise<void> {
  const board = await warmBoard(learner)
  for (const [playerId, expected] of [['bob', ['ann', 'bob', 'cem']], ['cem', ['bob', 'cem', 'dan']], ['dan', ['cem', 'dan']]] as const) {
    const { trips, answer } = await counted(learner, async () => names(await nearbyOf(board, playerId, 1)))
    atMost(trips, most, both('round trips of one getNearbyPlayers', 'số lượt gửi–nhận của một lần getNearbyPlayers'))
    same(answer, expected, both(`the neighbours of ${playerId}`, `những người quanh ${playerId}`))
  }
}

check('top-reads-only-what-it-gives', async ({ learner, redis, did }) => {
  did(both('compared the bytes of the replies to getTopPlayers(10) with 200 players and with many more',
    'so số byte phản hồi của getTopPlayers(10) khi có 200 người và khi có nhiều hơn nhiều'))
  await doesNotGrow(learner, await growing(learner, redis), {
    method: 'getTopPlayers',
    ask: async (board) => names(await topOf(board, 10)),
    right: (answer) => (answer as string[]).length === 10 && (answer as string[])[0] === PLANTED.best,
  })
})

check('rank-reads-only-what-it-gives', async ({ learner, redis, did }) => {
  did(both('compared the bytes of the replies to getRank of the lowest player with 200 players and with many more',
    'so số byte phản hồi của getRank cho người thấp nhất khi có 200 người và khi có nhiều hơn nhiều'))
  await doesNotGrow(learner, await growing(learner, redis), {
    method: 'getRank',
    ask: (board) => rankOf(board, PLANTED.lowest),
    right: (answer, players) => answer === players || answer === players - 1,
  })
})

check('nearby-reads-only-what-it-gives', async ({ learner, redis, did }) => {
  did(both('compared the bytes of the replies to getNearbyPlayers of the lowest player with 200 players and with many more',
    'so số byte phản hồi của getNearbyPlayers cho người thấp nhất khi có 200 người và khi có nhiều hơn nhiều'))
  await doesNotGrow(learner, await growing(learner, redis), {
    method: 'getNearbyPlayers',
    ask: async (board) => names(await nearbyOf(board, PLANTED.lowest, 2)),
    right: (answer) => (answer as string[]).length === 3 && (answer as string[])[2] === PLANTED.lowest,
  })
})

interface Question {
  readonly method: string
  ask(board: Instance): Promise<unknown>
  right(answer: unknown, players: number): boolean
}

async function doesNotGrow(learner: Learner, { board, grow }: Growing, { method, ask, right }: Question): Promise<void> {
  const bytes = async (players: number): Promise<number> => {
    // Everything sent before is answered before this: only then does the counting begin.
    await ask(board)
    learner.wire.forget()
    const answer = await ask(board)
    same(right(answer, players), true, both(`that ${method} is right with ${players} players`, `việc ${method} trả lời đúng khi có ${players} người`))
    return learner.wire.replyBytes()
  }
  const few = await bytes(await grow(200))
  const players = await grow(20_000)
  atMost(await bytes(players), Math.floor(few * 1.3) + 64,
    both(`bytes read by ${method} with ${players} players, when ${few} are enough with 200`,
      `số byte mà ${method} đọc khi có ${players} người, trong khi với 200 người chỉ cần ${few}`))
}

check('never-searches-the-keys', async ({ learner, redis, did }) => {
  did(both('called every method and looked at what the server ran, inside scripts too', 'gọi mọi phương thức rồi xem những lệnh server đã chạy, kể cả trong script'))
  const run = await commandsRun(redis, async () => {
    const board = await warmBoard(learner)
    same(names(await topOf(board, 2)), ['ann', 'bob'], both('the top two', 'hai người đứng đầu'))
    await (await watch(board)).stop()
  })
  same(run.filter((name) => ['KEYS', 'SCAN', 'FLUSHDB', 'FLUSHALL'].includes(name)), [],
    both('commands that go through all keys or empty the database', 'các lệnh duyệt mọi key hoặc xóa sạch database'))
})

/** A board whose methods have all been called once, watchScores apart: a script's first call may be sent twice. */
async function warmBoard(learner: Learner): Promise<Instance> {
  const board = await boardOf(learner)
  await fill(board, FOUR)
  await rankOf(board, 'ann')
  await scoreOf(board, 'ann')
  await topOf(board, 1)
  await nearbyOf(board, 'ann', 1)
  return board
}

async function counted(learner: Learner, ask: () => Promise<unknown>): Promise<{ trips: number; answer: unknown }> {
  let answer: unknown
  const { trips } = await learner.roundTrips(async () => { answer = await ask() })
  return { trips, answer }
}

/**
 * One moment, every order, crashes: the neighbours belong together; a score and the news of it are one step; Redis out of
 * reach and an emptied script cache surprise nobody.
 */
import { randomUUID } from 'node:crypto'
import { besideACutClient, both, check, CheckFailed, rejects, same, until, type Command, type Instance } from '#checks'
import { add, boardOf, fill, names, nearbyOf, rankOf, scoreOf, topOf, written, type Place } from './board.ts'
import { allHeard, told, watch, type Watcher } from './watcher.ts'

check('nearby-is-one-moment', async ({ learner, schedules, did }) => {
  did(both('asked for the neighbours of cem while eve, the last of five, overtakes everybody, in every order of the commands',
    'hỏi những người quanh cem trong lúc eve, người cuối trong năm người, vượt lên đầu, theo mọi thứ tự lệnh có thể'))
  const board = await boardOf(learner)
  const before = ['bob 40 (2)', 'cem 30 (3)', 'dan 20 (4)']
  const after = ['bob 40 (3)', 'cem 30 (4)', 'dan 20 (5)']
  await schedules.explore({
    setup: () => fill(board, { ann: 50, bob: 40, cem: 30, dan: 20, eve: 10 }),
    open: (caller) => boardOf(caller),
    callers: [(_, asked) => nearbyOf(asked, 'cem', 1), (_, raised) => add(raised, 'eve', 60)],
    names: [both('getNearbyPlayers', 'getNearbyPlayers'), both('addScore', 'addScore')],
    holds: (results) => {
      throwErrors(results)
      const places = written(results[0] as Place[])
      if ([before, after].some((moment) => places.join() === moment.join())) return
      throw new CheckFailed(both(
        `The neighbours of cem are those of no moment: ${places.join(', ') || 'nobody'}.`,
        `Những người quanh cem không đúng với thời điểm nào: ${places.join(', ') || 'không có ai'}.`),
      { expected: `${before.join(', ')} / ${after.join(', ')}`, got: places.join(', ') })
    },
  })
})

check('changes-are-heard-in-their-order', async ({ learner, schedules, did }) => {
  did(both('let two processes set the score of one player at once, in up to 24 orders of their commands, while a third watched',
    'cho hai tiến trình cùng đặt điểm cho một người, theo tối đa 24 thứ tự lệnh, trong khi tiến trình thứ ba theo dõi'))
  let key = `board-${randomUUID()}`
  let board: Instance = await boardOf(learner, key)
  let watcher: Watcher = await watch(board)
  // A watcher that hears nothing at all would be waited for in every order.
  same(told(await allHeard(board, watcher)), [], both('what is heard before any score of ann is set', 'những gì nghe được khi chưa đặt điểm cho ann'))
  await watcher.stop()
  await schedules.explore({
    // A board and a watcher for each order, and none stays: what they keep in the database is gone when it is emptied for the next.
    async setup() {
      key = `board-${randomUUID()}`
      board = await boardOf(learner, key)
      watcher = await watch(board)
    },
    callers: [1, 2].map((score) => async (caller) => add(await boardOf(caller, key), 'ann', score)),
    names: [both('addScore 1', 'addScore 1'), both('addScore 2', 'addScore 2')],
    async holds(results) {
      throwErrors(results)
      const heard = told(await allHeard(board, watcher))
      same(heard.toSorted(), ['ann 1', 'ann 2'], both('what the watcher heard, sorted', 'những gì bên theo dõi nghe được, đã sắp xếp'))
      same(heard.at(-1), `ann ${String(await scoreOf(board, 'ann'))}`, both(
        'the last score heard, compared with the one on the board', 'điểm nghe được sau cùng, so với điểm đang có trên bảng'))
      await watcher.stop()
    },
    // A call of two steps is caught in the second order already; one MULTI alone would make 70.
    limit: 24,
  })
})

check('heard-scores-can-be-read', async ({ learner, another, did }) => {
  did(both('let the commands of addScore through one by one, and asked the board from the listener',
    'cho từng lệnh của addScore đi qua và hỏi bảng ngay trong listener'))
  const key = `board-${randomUUID()}`
  const reader = await another()
  const [asked, board] = [await boardOf(reader, key), await boardOf(learner, key)]
  const reading: Promise<string>[] = []
  const watcher = await watch(asked, ({ playerId, score }) => {
    reading.push(scoreOf(asked, playerId).then((found) => `${playerId} ${String(score)}: ${String(found)}`))
    reading.at(-1)!.catch(() => {})
  })
  await add(board, 'ann', 1)
  await watcher.hears('ann')
  await Promise.all(reading)
  const sent: Command[] = []
  learner.wire.gate = async (command): Promise<'pass'> => {
    // What was announced so far reaches the listener, and its question an answer, before anything else is done.
    await until(() => sent.every(({ reply }) => reply !== null), both('replies to the frames before', 'phản hồi cho các frame trước đó'))
    sent.push(command)
    for (let i = 0; i < 5; i++) await reader.host.idle()
    await Promise.all(reading)
    return 'pass'
  }
  await add(board, 'ann', 2)
  learner.wire.gate = null
  await until(() => reading.length >= 2, both('the listener to hear of the second score', 'listener nghe được điểm thứ hai'))
  same(await Promise.all(reading), ['ann 1: 1', 'ann 2: 2'],
    both('what was heard, and what the board said then', 'những gì nghe được và điểm đọc được lúc đó'))
  await watcher.stop()
})

check('crash-leaves-no-unheard-score', async ({ learner, cuts, did }) => {
  did(both('cut the connection before the first and after each command of addScore, watched from another',
    'cắt kết nối trước lệnh đầu tiên và sau từng lệnh của addScore, theo dõi từ kết nối khác'))
  let key = ''
  let board: Instance | undefined
  let watcher: Watcher | undefined
  let set = false
  await cuts.explore({
    async setup() {
      key = `board-${randomUUID()}`
      board = await boardOf(learner, key)
      watcher = await watch(board)
      await add(board, 'ann', 1)
      await watcher.hears('ann')
    },
    open: (caller) => boardOf(caller, key),
    call: (_, opened) => add(opened, 'ann', 2),
    async audit() {
      const heard = told(await allHeard(board!, watcher!))
      // By an object that has set nothing itself.
      set = (await scoreOf(await boardOf(learner, key), 'ann')) !== 1
      if (set) same(heard, ['ann 1', 'ann 2'], both('what the watcher heard when the score is no longer the first one', 'những gì bên theo dõi nghe được khi điểm không còn là điểm đầu'))
      await watcher!.stop()
    },
  })
  same(set, true, both('that the score is set when nothing is cut off', 'việc điểm được đặt khi không bị cắt'))
})

check('redis-failure-rejects', async ({ learner, did }) => {
  did(both('asked the board through two clients of one process and cut one of them off meanwhile, then called every method through that one, and watchScores through one that keeps trying to connect',
    'hỏi bảng qua hai client của cùng một tiến trình và ngắt kết nối của một client trong lúc đó, rồi gọi mọi phương thức qua client bị ngắt, và gọi watchScores qua một client liên tục thử kết nối lại'))
  const offline = await learner.withRedis({ reconnects: false, retriesPerRequest: 0 })
  const key = `board-${randomUUID()}`
  const board = await boardOf(offline, key)
  const watcher = await watch(board)
  await add(board, 'ann', 7)
  await watcher.hears('ann')
  await watcher.stop()
  await add(board, 'bob', 9)
  const answers = (one: Instance): Promise<[unknown, unknown, string[], string[]]> =>
    Promise.all([rankOf(one, 'ann'), scoreOf(one, 'ann'), topOf(one, 2).then(names), nearbyOf(one, 'ann', 1).then(names)])
  const whole = await answers(board)
  const [rank, score, top, nearby] = whole
  same([typeof rank, score, top.length, nearby.length], ['number', 7, 2, 2],
    both('the type of the rank of ann, her score, and how many the top two and her neighbours are, while Redis works',
      'kiểu của hạng của ann, điểm của ann, số người đứng đầu khi hỏi hai và số người quanh ann, khi Redis còn hoạt động'))
  const elsewhere = await boardOf(learner, key)
  const sound = await besideACutClient(offline, learner, (client) => answers(client === offline ? board : elsewhere))
  same(sound, { value: whole },
    both('the answers to a client whose connection is sound, when another loses its own', 'kết quả qua client còn kết nối, khi một client khác mất kết nối'))
  const calls: [string, ...unknown[]][] = [['addScore', 'ann', 8], ['getRank', 'ann'], ['getPlayerScore', 'ann'], ['getTopPlayers', 3],
    ['getNearbyPlayers', 'ann'], ['watchScores', () => {}]]
  for (const [method, ...args] of calls) {
    await rejects(() => board.call(method, ...args), both(`${method}(…) while Redis is out of reach`, `${method}(…) khi không kết nối được Redis`))
  }
  // Who tries to connect again has to give up some time, too.
  const hopeful = await learner.withRedis({ retriesPerRequest: 1 })
  const another = await boardOf(hopeful, key)
  hopeful.wire.down()
  await rejects(() => another.call('watchScores', () => {}), both(
    'watchScores(…) while Redis stays out of reach of a client that connects again and sends a command twice at most',
    'watchScores(…) khi Redis vẫn ngoài tầm với của một client tự kết nối lại và gửi mỗi lệnh tối đa hai lần'))
})

check('survives-an-emptied-script-cache', async ({ learner, redis, did }) => {
  did(both('emptied the script cache before every call', 'xóa script cache trước mỗi lời gọi'))
  const afterFlush = async <T>(call: () => Promise<T>): Promise<T> => {
    await redis.script('FLUSH')
    return call()
  }
  const board = await boardOf(learner, `board-${randomUUID()}`)
  for (const round of ['one', 'two']) {
    const watcher = await afterFlush(() => watch(board))
    const [first, second] = [`first of ${round}`, `second of ${round}`]
    await afterFlush(() => add(board, first, 20))
    await afterFlush(() => add(board, second, 10))
    same([await afterFlush(() => scoreOf(board, first)), typeof (await afterFlush(() => rankOf(board, second)))], [20, 'number'],
      both('a score, and the type of a rank', 'một điểm, và kiểu của một hạng'))
    same((await afterFlush(() => topOf(board, 2))).length, 2, both('how many the top two are', 'số người khi hỏi hai người đứng đầu'))
    same(names(await afterFlush(() => nearbyOf(board, second, 0))).includes(second), true, both('whether the second is among the neighbours', 'người thứ hai có trong kết quả của getNearbyPlayers'))
    await watcher.hears(second)
    await watcher.stop()
  }
})

function throwErrors(results: readonly unknown[]): void {
  for (const result of results) if (result instanceof Error) throw result
}

/**
 * What it may cost: a hit one round trip and little more than the value in bytes, a miss two, and as many calls of the
 * function as there are different arguments. Nothing searches through the keys.
 */
import { atMost, both, check, commandsRun, holds, same, settled } from '#checks'
import { loader, settle, wrap } from './cached.ts'
import { retype, spoil } from './entries.ts'

const ANN = { id: 7, name: 'Ann' }

check('a-hit-is-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of hits', 'đếm số lượt gửi–nhận khi trúng cache'))
  const load = loader(() => ANN)
  const cached = await wrap(learner, { name: 'user' }, load.fn)
  await cached.call('warm-up')
  await cached.call(7)
  for (let i = 0; i < 3; i++) {
    await settle(learner)
    const { trips } = await learner.roundTrips(async () => { same(await cached.call(7), ANN, both('the result', 'kết quả')) })
    atMost(trips, 1, both('round trips of a hit', 'số lượt gửi–nhận khi trúng cache'))
  }
  same(load.calls.length, 2, both('calls of the function for two different arguments', 'số lần hàm được gọi cho hai tham số khác nhau'))
})

check('a-miss-is-two-round-trips', async ({ learner, redis, did }) => {
  did(both('counted the round trips of misses, bad entries among them', 'đếm số lượt gửi–nhận khi trượt cache, kể cả khi entry bị hỏng'))
  const load = loader(() => ANN)
  const cached = await wrap(learner, { name: 'user' }, load.fn)
  await cached.call('warm-up')
  for (let id = 1; id <= 3; id++) {
    await settle(learner)
    const { trips } = await learner.roundTrips(async () => { same(await cached.call(id), ANN, both('the result', 'kết quả')) })
    atMost(trips, 2, both('round trips of a miss', 'số lượt gửi–nhận khi trượt cache'))
  }
  for (let id = 1; id <= 3; id++) await cached.call(id)
  same(load.calls.length, 4, both('calls of the function, all results cached', 'số lần hàm được gọi, khi mọi kết quả đã có trong cache'))
  // A wrapper without these in a first level of its own. Whether it gives the result at all is the business of other checks.
  const fresh = await wrap(learner, { name: 'user' }, load.fn)
  await fresh.call('warm-up of the new wrapper')
  const bad = [[(key: string) => spoil(redis, key, () => '{"half":'), both('a damaged entry', 'entry bị hỏng')], [(key: string) => retype(redis, key), both('an entry of another type', 'entry sai kiểu')]] as const
  for (const [i, [spoilt, what]] of bad.entries()) {
    await settle(learner)
    for (const key of await redis.keys('cache:user:*')) await spoilt(key)
    const { trips } = await learner.roundTrips(() => settled(fresh.call(1 + i)))
    atMost(trips, 2, both(`round trips of a miss: ${what.en}`, `số lượt gửi–nhận khi trượt cache: ${what.vi}`))
  }
})

check('a-hit-reads-little-more-than-the-value', async ({ learner, did }) => {
  did(both('counted the bytes of the replies to a hit, for a value of 2 KB among others and arguments of 1 KB', 'đếm số byte phản hồi khi trúng cache, với một giá trị 2 KB giữa các giá trị khác và tham số 1 KB'))
  const text = Array.from({ length: 300 }, (_, i) => (i * 7919).toString(36)).join(' ').slice(0, 1200)
  const value = { id: 7, title: 'A long story', text, words: Array.from({ length: 200 }, (_, i) => (i * 7919) % 1000) }
  const filter = 'long '.repeat(200)
  const load = loader(() => value)
  const cached = await wrap(learner, { name: 'page' }, load.fn)
  for (let id = 0; id < 10; id++) await cached.call(id, filter)
  await settle(learner)
  learner.wire.forget()
  same(await cached.call(7, filter), value, both('the result', 'kết quả'))
  const size = JSON.stringify(value).length
  atMost(learner.wire.replyBytes(), size + 128, both(`bytes of replies for a value of ${size} bytes`, `số byte phản hồi cho giá trị dài ${size} byte`))
  same(load.calls.length, 10, both('calls of the function for ten different arguments', 'số lần hàm được gọi cho mười tham số khác nhau'))
})

check('loads-are-the-distinct-arguments', async ({ learner, did }) => {
  const load = loader(([page, options]) => `page ${String(page)} of ${(options as { size: number }).size}`)
  // On a busy machine a thousand calls outlast an expiry in milliseconds, which has a check of its own.
  const cached = await wrap(learner, { name: 'page', expire: 360_000 }, load.fn)
  const asked = Array.from({ length: 1000 }, (_, i) => [Math.floor(30 * ((i * 0.618034) % 1) ** 3), i % 7 < 5 ? 20 : 50])
  const distinct = new Set(asked.map(String)).size
  did(both(`made 1000 calls one after another, most of them for few of ${distinct} different arguments`,
    `gọi lần lượt 1000 lần, phần lớn cho vài tham số trong ${distinct} tham số khác nhau`))
  const inTurn = await learner.host.plant(async (call: (page: number, options: object) => Promise<string>, lists: number[][]) => {
    const results: string[] = []
    for (const [page, size] of lists) results.push(await call(page!, { size }))
    return results
  })
  for (let i = 0; i < asked.length; i += 20) {
    const part = asked.slice(i, i + 20)
    same(await inTurn(cached.remote, part), part.map(([page, size]) => `page ${page} of ${size}`), both('the results', 'các kết quả'))
  }
  same(load.calls.length, distinct, both('calls of the function', 'số lần hàm được gọi'))
})

check('nothing-searches-the-keys', async ({ learner, redis, did }) => {
  did(both('watched what the server runs for a miss, a hit and an invalidation', 'theo dõi các lệnh server chạy khi trượt cache, trúng cache và invalidate'))
  const load = loader(() => ANN)
  const cached = await wrap(learner, { name: 'user' }, load.fn)
  await cached.call(1)
  const commands = await commandsRun(redis, async () => {
    for (const id of [2, 2, 2, 3]) same(await cached.call(id), ANN, both('the result', 'kết quả'))
    await cached.invalidate(2)
  })
  same(load.calls.length, 3, both('calls of the function for three different arguments', 'số lần hàm được gọi cho ba tham số khác nhau'))
  const searching = commands.filter((name) => /^(KEYS|SCAN|FLUSHDB|FLUSHALL|RANDOMKEY)$/.test(name))
  holds(searching.length === 0, both('commands that search the keys or empty the database', 'các lệnh tìm trong các key hoặc xóa sạch database'), both('none', 'không có'), [...new Set(searching)].join(', '))
})

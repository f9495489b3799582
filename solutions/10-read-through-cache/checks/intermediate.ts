/**
 * Whatever the function gives is cached, except nothing and failure; equal arguments share an entry, different ones never
 * do; entries expire in time.
 */
import type { Redis } from 'ioredis'
import { both, check, holds, same, settled, storm, until } from '#checks'
import { loader, settle, withoutGaps, wrap } from './cached.ts'
import { entryOf } from './entries.ts'
import { numbered, ownAnswer, PLAIN_ARGUMENTS } from './values.ts'

check('empty-results-are-cached', async ({ learner, did }) => {
  did(both('called twice for each of null, false, 0, \'\' and []', 'gọi hai lần cho mỗi kết quả null, false, 0, \'\' và []'))
  const results: unknown[] = [null, false, 0, '', []]
  const load = loader(([i]) => results[i as number])
  const cached = await wrap(learner, { name: 'thing' }, load.fn)
  for (const [i, result] of results.entries()) {
    same([await cached.call(i), await cached.call(i)], [result, result], both('the results of two calls', 'kết quả của hai lời gọi'))
    same(load.calls.length, i + 1, both(`calls of the function after ${JSON.stringify(result)} was asked for twice`, `số lần hàm được gọi sau khi hỏi ${JSON.stringify(result)} hai lần`))
  }
})

check('undefined-is-not-cached', async ({ learner, did }) => {
  did(both('let the function give undefined at first, then a value', 'để hàm trả về undefined lúc đầu, rồi trả về giá trị'))
  const load = loader((_args, call) => (call === 1 ? undefined : `version ${call}`))
  const cached = await wrap(learner, { name: 'user' }, load.fn)
  same([await cached.call(7), await cached.call(7), await cached.call(7)], [undefined, 'version 2', 'version 2'],
    both('the results of three calls', 'kết quả của ba lời gọi'))
})

check('rejections-are-not-cached', async ({ learner, did }) => {
  did(both('let the function reject at first, then give a value', 'để hàm báo lỗi lúc đầu, rồi trả về giá trị'))
  const load = loader((_args, call) => {
    if (call === 1) throw new Error('the database is down')
    return `version ${call}`
  })
  const cached = await wrap(learner, { name: 'user' }, load.fn)
  await settled(cached.call(7))
  same([await cached.call(7), await cached.call(7)], ['version 2', 'version 2'], both('the results of the next two calls', 'kết quả của hai lời gọi tiếp theo'))
})

check('different-arguments-never-share', async ({ learner, redis, did }) => {
  did(both(`called with ${PLAIN_ARGUMENTS.length} lists of arguments of which no two are equal, then with two lists that the function empties`,
    `gọi với ${PLAIN_ARGUMENTS.length} danh sách tham số đôi một khác nhau, rồi với hai mảng mà hàm làm rỗng`))
  const load = numbered()
  const cached = await wrap(learner, { name: 'thing' }, load.fn)
  for (const args of PLAIN_ARGUMENTS) await ownAnswer(cached, load, args)
  await redis.flushdb()
  const emptied = await learner.host.plant(async (list: unknown[]) => list.splice(0).length)
  const counted = await wrap(learner, { name: 'emptied' }, emptied)
  same([await counted.call([1, 2]), await counted.call([])], [2, 0],
    both('the lengths of lists, counted by a function that empties its argument', 'độ dài các mảng, đếm bởi một hàm làm rỗng tham số của nó'))
})

check('order-of-keys-does-not-matter', async ({ learner, did }) => {
  did(both('called with objects that differ in nothing but the order of their keys', 'gọi với các object chỉ khác nhau thứ tự key'))
  const load = numbered()
  const cached = await wrap(learner, { name: 'search' }, load.fn)
  const first = await ownAnswer(cached, load, [{ city: 'Huế', price: { from: 10, to: 20 }, tags: [{ a: 1, b: 2 }] }, 1])
  const again = await ownAnswer(cached, load, [{ tags: [{ b: 2, a: 1 }], price: { to: 20, from: 10 }, city: 'Huế' }, 1])
  same(again, first, both('the answer for the same object in another order', 'kết quả cho cùng object với thứ tự khác'))
  const other = await ownAnswer(cached, load, [{ city: 'Huế', price: { from: 20, to: 10 }, tags: [{ a: 1, b: 2 }] }, 1])
  holds(other !== first, both('the answer for other values', 'kết quả cho giá trị khác'), both('another one', 'kết quả khác'), other)
})

check('entries-expire', async ({ learner, redis, did }) => {
  did(both('looked at the expiry of entries: by default, and with expire: 90', 'xem thời hạn của entry: mặc định, và với expire: 90'))
  for (const [options, seconds] of [[{ name: 'user' }, 3600], [{ name: 'order', expire: 90 }, 90]] as const) {
    const keys = await entryOf(redis, learner, await wrap(learner, options, loader(() => 'a result').fn), 7)
    const times = await Promise.all(keys.map((key) => redis.pttl(key)))
    for (const ms of times) {
      holds(ms > 0 && ms <= seconds * 1000, both(`the time an entry has left, with ${seconds} s`, `thời gian còn lại của entry, với ${seconds} giây`),
        both(`more than 0, at most ${seconds} s`, `hơn 0, không quá ${seconds} giây`), ms < 0 ? both('no expiry', 'không có thời hạn') : `${ms / 1000} s`)
    }
    // An entry may end a little earlier, by chance even; one that is gone after half the time took another unit.
    holds(Math.max(...times) > seconds * 500, both(`the time an entry has left, with ${seconds} s`, `thời gian còn lại của entry, với ${seconds} giây`),
      both(`about ${seconds} s`, `khoảng ${seconds} giây`), `${Math.max(...times) / 1000} s`)
  }
})

check('entries-end-one-by-one', async ({ learner, another, did }) => {
  did(both('cached a result for one second and went on caching others, then asked for it in another process',
    'lưu một kết quả trong một giây và tiếp tục lưu các kết quả khác, rồi hỏi lại từ tiến trình khác'))
  const options = { name: 'user', expire: 1 }
  const [other, load] = [await another(), loader(() => 'a new result')]
  const there = await wrap(other, options, load.fn)
  const here = await wrap(learner, options, loader(() => 'a result').fn)
  await withoutGaps(async (callFor, round) => {
    await here.call(`old ${round}`)
    await settle(learner)
    let next = 0
    await callFor(1100, () => here.call(`${round}-${next++}`))
    await settle(learner)
    same(await there.call(`old ${round}`), 'a new result', both('the result after its second', 'kết quả sau một giây của nó'))
    same(load.calls.length, round, both('calls of the function for what has expired', 'số lần hàm được gọi cho entry đã hết hạn'))
  })
}, { waits: true })

check('a-hit-does-not-move-the-expiry', async ({ learner, another, redis, did }) => {
  did(both('shortened the time an entry had left, then hit it from another process', 'rút ngắn thời gian còn lại của một entry, rồi đọc nó từ tiến trình khác'))
  const options = { name: 'user', expire: 36_000 }
  const keys = await entryOf(redis, learner, await wrap(learner, options, loader(() => 'a result').fn), 7)
  for (const key of keys) await redis.pexpire(key, 400_000)
  const [other, load] = [await another(), loader(() => 'a result')]
  const cached = await wrap(other, options, load.fn)
  for (let i = 0; i < 3; i++) await cached.call(7)
  await settle(other)
  same(load.calls.length, 0, both('calls of the function for what is cached', 'số lần hàm được gọi cho dữ liệu đã có trong cache'))
  same(await longest(redis, keys) <= 400_000, true, both('whether the expiry was not put off', 'thời hạn không bị kéo dài'))
})

check('keys-are-short', async ({ learner, redis, did }) => {
  did(both('called with arguments of 20 000 characters, and with 300 arguments at a time', 'gọi với tham số dài 20 000 ký tự, và với 300 tham số trong một lời gọi'))
  const load = numbered()
  const cached = await wrap(learner, { name: 'search' }, load.fn)
  const long = 'dài '.repeat(5000)
  const lists = [[`${long}a`], [`${long}b`], [`a${long}`], Array.from({ length: 300 }, (_, i) => i), Array.from({ length: 300 }, (_, i) => i + Number(i === 299))]
  for (const args of lists) {
    await ownAnswer(cached, load, args)
    const before = load.calls.length
    await ownAnswer(cached, load, args)
    same(load.calls.length, before, both('calls of the function for what is cached', 'số lần hàm được gọi cho dữ liệu đã có trong cache'))
  }
  await settle(learner)
  const sizes = (await redis.keys('*')).map((key) => Buffer.byteLength(key))
  holds(Math.max(...sizes) <= 256, both('bytes of the longest key', 'số byte của key dài nhất'), both('at most 256', 'không quá 256'), String(Math.max(...sizes)))
})

check('invalidate-is-exact', async ({ learner, did }) => {
  did(both('invalidated one of several entries, and some that do not exist', 'gọi invalidate cho một trong nhiều entry, và cho entry không tồn tại'))
  const [load, others] = [numbered(), numbered()]
  const cached = await wrap(learner, { name: 'user' }, load.fn)
  const other = await wrap(learner, { name: 'user:admin' }, others.fn)
  const lists = [[1], [12], ['1'], [1, 2], [[1]], [{ a: 1, b: 2 }]]
  for (const args of lists) await cached.call(...args)
  await other.call(1)
  same(await cached.invalidate(2), false, both('invalidate(2), never asked for', 'invalidate(2), chưa hỏi bao giờ'))
  same(await cached.invalidate(1), true, both('invalidate(1)', 'invalidate(1)'))
  same(await cached.invalidate(1), false, both('invalidate(1) again', 'invalidate(1) lần nữa'))
  same(await cached.invalidate({ b: 2, a: 1 }), true, both('invalidate({ b: 2, a: 1 }), cached as { a: 1, b: 2 }', 'invalidate({ b: 2, a: 1 }), đã lưu với { a: 1, b: 2 }'))
  for (const args of lists.slice(1, 5)) await cached.call(...args)
  await other.call(1)
  same([load.calls.length, others.calls.length], [lists.length, 1], both('calls of the functions, the other entries asked for again', 'số lần các hàm được gọi sau khi hỏi lại các entry khác'))
  await cached.call(1)
  same(load.calls.length, lists.length + 1, both('calls of the function after what was invalidated is asked for', 'số lần hàm được gọi sau khi hỏi lại entry đã bị xóa'))
  // What was cached just now is as fresh in the memory of who has a first level there.
  await cached.call(3)
  await cached.invalidate(3)
  await cached.call(3)
  same(load.calls.length, lists.length + 3, both('calls of the function after an entry was made, invalidated and asked for at once', 'số lần hàm được gọi sau khi một entry được tạo, xóa và hỏi lại ngay'))
})

check('calls-at-once-do-not-mix', async ({ learner, did }) => {
  did(both('made 30 calls at once with ten different arguments, the function slower for some, then calls at once with the same argument under three pairs of name and prefix',
    'gọi 30 lần cùng lúc với mười tham số khác nhau, có tham số hàm xử lý chậm hơn, rồi gọi cùng lúc với cùng một tham số dưới ba cặp name và prefix khác nhau'))
  const load = loader(async ([i]) => {
    for (let turns = 10 - Number(i); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
    return `result ${String(i)}`
  })
  const cached = await wrap(learner, { name: 'thing' }, load.fn)
  const expected = Array.from({ length: 30 }, (_, i) => `result ${i % 10}`)
  same(await storm(30, (i) => cached.call(i % 10)), expected, both('the results of calls at once', 'kết quả của các lời gọi cùng lúc'))
  const loads = load.calls.length
  for (let i = 0; i < 10; i++) same(await cached.call(i), `result ${i}`, both('a result afterwards', 'kết quả sau đó'))
  same(load.calls.length, loads, both('calls of the function, all results cached', 'số lần hàm được gọi, khi mọi kết quả đã có trong cache'))
  const users = await wrap(learner, { name: 'user' }, loader(() => 'a user').fn)
  const orders = await wrap(learner, { name: 'order' }, loader(() => 'an order').fn)
  const archived = await wrap(learner, { name: 'order', prefix: 'archive' }, loader(() => 'an archived order').fn)
  // Made over there, so that all of them have begun before any reply comes.
  const atOnce = await learner.host.plant((...calls: ((id: number) => Promise<string>)[]) => Promise.all(calls.map((call) => call(7))))
  same(await atOnce(users.remote, orders.remote, archived.remote), ['a user', 'an order', 'an archived order'],
    both('the results of calls at once for user 7, order 7, and order 7 under another prefix', 'kết quả của các lời gọi cùng lúc cho user 7, order 7, và order 7 với prefix khác'))
})

check('no-leaked-connection', async ({ learner, did }) => {
  did(both('called and invalidated many times, then counted the connections', 'gọi và invalidate nhiều lần rồi đếm số kết nối'))
  const cached = await wrap(learner, { name: 'thing' }, numbered().fn)
  await storm(8, (i) => cached.call(i % 4))
  await storm(4, (i) => cached.invalidate(i))
  await until(() => learner.wire.open() === 1, both('the connections made by duplicate() to be closed', 'các kết nối tạo bằng duplicate() được đóng'), 1500)
})

const longest = async (redis: Redis, keys: string[]): Promise<number> => {
  const times = await Promise.all(keys.map((key) => redis.pttl(key)))
  return Math.max(...times.map((ms) => (ms < 0 ? Infinity : ms)))
}

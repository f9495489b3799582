/**
 * What a cache is: the function is called once for equal arguments, its result is kept in Redis under a key of the
 * wrapper's name, where other processes find it, and it can be forgotten again.
 */
import { both, check, holds, same } from '#checks'
import { loader, settle, wrap } from './cached.ts'
import { entryOf } from './entries.ts'

const ANN = { id: 7, name: 'Ann', tags: ['new', 'vip'] }

check('second-call-is-a-hit', async ({ learner, did }) => {
  did(both('called the wrapped function twice with the same argument', 'gọi hàm đã bọc hai lần với cùng một tham số'))
  const load = loader(() => ANN)
  const cached = await wrap(learner, { name: 'user' }, load.fn)
  same(await cached.call(7), ANN, both('the first result', 'kết quả lần đầu'))
  same(await cached.call(7), ANN, both('the second result', 'kết quả lần thứ hai'))
  same(load.calls.length, 1, both('calls of the function', 'số lần hàm được gọi'))
})

check('arguments-reach-the-function', async ({ learner, did }) => {
  did(both('called with several arguments and looked at what the function was given', 'gọi với nhiều tham số và xem hàm nhận được gì'))
  const load = loader((args) => `for ${String(args[0])}`)
  const cached = await wrap(learner, { name: 'page' }, load.fn)
  same(await cached.call('ann', 2, { size: 20 }), 'for ann', both('the result for ann', 'kết quả cho ann'))
  same(await cached.call('bob'), 'for bob', both('the result for bob', 'kết quả cho bob'))
  same(await cached.call('ann', 2, { size: 20 }), 'for ann', both('the result for ann, again', 'kết quả cho ann, lần nữa'))
  same(load.calls, [['ann', 2, { size: 20 }], ['bob']], both('what the function was given', 'tham số hàm nhận được'))
})

check('plain-results-come-back', async ({ learner, did }) => {
  did(both('took results of every plain kind out of the cache', 'lấy từ cache các kết quả thuộc mọi kiểu đơn giản'))
  const results: unknown[] = [
    'text', '42', 'true', 'null', '"quoted"', '{"a":1}', '2026-01-02T03:04:05.678Z', 'Chào bạn 👋', 'line\nline', 42, -1.5, 1e21, true,
    ['a', 1, [null, false]], { a: { b: [{ c: '1' }] }, d: null, e: '', f: 0 }, { at: '2026-01-02T03:04:05.678Z' },
  ]
  const load = loader(([i]) => results[i as number])
  const cached = await wrap(learner, { name: 'thing' }, load.fn)
  for (const i of results.keys()) await cached.call(i)
  for (const [i, result] of results.entries()) same(await cached.call(i), result, both('a result out of the cache', 'kết quả lấy từ cache'))
  same(load.calls.length, results.length, both(`calls of the function for ${results.length} different arguments`, `số lần hàm được gọi cho ${results.length} tham số khác nhau`))
})

check('names-have-their-own-entries', async ({ learner, did }) => {
  did(both('wrapped three functions under two names and, for one name, two prefixes, and called all with the same argument',
    'bọc ba hàm với hai name, một trong đó dùng với hai prefix, rồi gọi cả ba với cùng một tham số'))
  const users = await wrap(learner, { name: 'user' }, loader(() => 'a user').fn)
  const orders = await wrap(learner, { name: 'order' }, loader(() => 'an order').fn)
  const archived = await wrap(learner, { name: 'order', prefix: 'archive' }, loader(() => 'an archived order').fn)
  same(await users.call(7), 'a user', both('user 7', 'user 7'))
  same(await orders.call(7), 'an order', both('order 7', 'order 7'))
  same(await archived.call(7), 'an archived order', both('order 7 under another prefix', 'order 7 với prefix khác'))
})

check('processes-share-the-entries', async ({ learner, another, did }) => {
  did(both('called in one process, then in another', 'gọi trong một tiến trình, rồi trong tiến trình khác'))
  const [here, there] = [loader(() => ANN), loader(() => ANN)]
  await (await wrap(learner, { name: 'user' }, here.fn)).call(7)
  await settle(learner)
  same(await (await wrap(await another(), { name: 'user' }, there.fn)).call(7), ANN,
    both('the result in the other process', 'kết quả ở tiến trình kia'))
  same([here.calls.length, there.calls.length], [1, 0], both('calls of the function in the two processes', 'số lần hàm được gọi ở hai tiến trình'))
})

check('keys-carry-prefix-and-name', async ({ learner, redis, did }) => {
  did(both('looked at the keys of wrappers with and without a prefix', 'xem các key của hàm bọc có và không có prefix'))
  for (const [options, start] of [
    [{ name: 'user' }, 'cache:user:'], [{ name: 'order', prefix: 'shop' }, 'shop:order:'], [{ name: ' giá: *?[x] {y} ', prefix: ' cửa hàng ' }, ' cửa hàng : giá: *?[x] {y} :'],
  ] as const) {
    const load = loader(() => ANN)
    const keys = await entryOf(redis, learner, await wrap(learner, options, load.fn), 7, 'a')
    for (const key of keys) holds(key.startsWith(start), both('a key', 'một key'), both(`one that starts with "${start}"`, `bắt đầu bằng "${start}"`), `"${key.slice(0, 80)}"`)
  }
})

check('invalidate-forgets', async ({ learner, did }) => {
  did(both('invalidated an entry and called again', 'gọi invalidate cho một entry rồi gọi lại'))
  const load = loader((_args, call) => `version ${call}`)
  const cached = await wrap(learner, { name: 'user' }, load.fn)
  same(await cached.call(7), 'version 1', both('the first result', 'kết quả lần đầu'))
  await cached.invalidate(7)
  same(await cached.call(7), 'version 2', both('the result after invalidate', 'kết quả sau invalidate'))
  same(await cached.call(7), 'version 2', both('the result after that', 'kết quả sau đó nữa'))
})

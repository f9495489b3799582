/**
 * Errors of the function are the caller's business, bad entries are not; bad options are refused when the wrapper is made.
 */
import type { Redis } from 'ioredis'
import { both, check, holds, LearnerError, refuses, same, settled, shown, type Learner, type Text } from '#checks'
import { loader, settle, wrap } from './cached.ts'
import { entryOf, retype, spoil } from './entries.ts'
import { failsInRedis } from './outside.ts'

const ANN = { id: 7, name: 'Ann', tags: ['new', 'vip'] }

check('own-errors-reach-the-caller', async ({ learner, did }) => {
  did(both('let the function reject with an error of the check, with null and its like, and with what Redis told the function',
    'để hàm báo lỗi với một object lỗi của mục kiểm tra, với null và tương tự, và với lỗi mà Redis trả về cho chính hàm'))
  const errors = [new RangeError('no such user'), null, 0, undefined]
  const load = loader(([id]) => {
    if (id !== 'ann') throw errors[id as number]
    return ANN
  })
  const cached = await wrap(learner, { name: 'user' }, load.fn)
  same(await cached.call('ann'), ANN, both('a result', 'một kết quả'))
  for (const [i, error] of errors.entries()) {
    const outcome = await settled(cached.call(i))
    const what = error instanceof Error ? error.name : shown(error)
    holds('error' in outcome && outcome.error.original === error,
      both(`what a call rejects with when the function rejects with ${what}`, `lỗi mà lời gọi trả về khi hàm báo lỗi với ${what}`),
      error instanceof Error ? both('the very same error object', 'đúng object lỗi đó') : what,
      'error' in outcome ? outcome.error.message.slice(0, 200) : both('no error', 'không có lỗi'))
    same(load.calls.length, 2 + i, both(`calls of the function: one that gave a result, ${1 + i} that failed`, `số lần hàm được gọi: một lần có kết quả, ${1 + i} lần lỗi`))
  }
  // An error of Redis's own class loses it on the way to the grader, so it is looked at where it is.
  const inRedis = await learner.host.plant(failsInRedis)
  same(await inRedis(await learner.call('cacheWithRedis', learner.redis, { name: 'stock' }), learner.redis), { calls: 1, own: true },
    both('calls of a function to which Redis replies with an error, and whether its own error reached the caller',
      'số lần gọi một hàm nhận lỗi từ Redis, và lỗi của chính nó có đến được bên gọi hay không'))
})

check('unreadable-entries-are-replaced', async ({ learner, another, redis, did }) => {
  did(both('damaged entries in three ways and asked for them in another process, then put foreign JSON in place of entries', 'làm hỏng entry theo ba cách rồi hỏi từ tiến trình khác, sau đó thay entry bằng JSON lạ'))
  await badEntries(learner, await another(), redis, [
    (key) => spoil(redis, key, () => '{"half":'),
    (key) => spoil(redis, key, (stored) => stored.subarray(0, Math.floor(stored.length / 2))),
    (key) => spoil(redis, key, () => ''),
  ])
  // What may be an entry of one encoding is garbage to another; nothing, or null, it is to nobody.
  await redis.flushdb()
  const options = { name: 'foreign' }
  const cached = await wrap(learner, options, loader(() => ANN).fn)
  for (const [id, text] of ['{}', '[]', '7', '"text"', '{"data":1}'].entries()) {
    for (const key of await entryOf(redis, learner, cached, id)) await spoil(redis, key, () => text)
    const reader = await wrap(await learner.withRedis(), options, loader(() => ANN).fn)
    const got = await reader.call(id)
    holds(got !== undefined && got !== null, both(`the result when the entry is ${text}`, `kết quả khi entry là ${text}`), both('that of the function', 'kết quả của hàm'), shown(got))
  }
})

check('entries-of-another-type-are-replaced', async ({ learner, another, redis, did }) => {
  did(both('put something of another type in place of an entry and asked for it in another process', 'thay entry bằng dữ liệu khác kiểu rồi hỏi từ tiến trình khác'))
  await badEntries(learner, await another(), redis, [(key) => retype(redis, key)])
})

check('bad-expiry-is-refused', async ({ learner, did }) => {
  did(both('made wrappers with an expire that is no positive integer', 'tạo hàm bọc với expire không phải số nguyên dương'))
  const load = loader(() => ANN)
  same(await (await wrap(learner, { name: 'user', expire: 1 }, load.fn)).call(7), ANN, both('a result with expire: 1', 'kết quả với expire: 1'))
  await settle(learner)
  learner.wire.forget()
  for (const expire of [0, -1, 1.5, Infinity]) {
    await refusesAtOnce(learner, { name: 'user', expire }, ['RangeError'], load.fn, both(`expire: ${expire}`, `expire: ${expire}`))
  }
  for (const expire of [NaN, '60', true, {}]) {
    await refusesAtOnce(learner, { name: 'user', expire }, ['RangeError', 'TypeError'], load.fn, both(`expire: ${shown(expire)}`, `expire: ${shown(expire)}`))
  }
  same(learner.wire.commands().length, 0, both('commands sent by wrappers that are refused', 'số lệnh được gửi bởi hàm bọc bị từ chối'))
})

check('long-names-are-refused', async ({ learner, redis, did }) => {
  did(both('made wrappers whose name and prefix have 150 bytes, and more', 'tạo hàm bọc có name và prefix dài 150 byte, và dài hơn'))
  for (const options of [{ name: 'n'.repeat(145) }, { name: 'é'.repeat(70), prefix: 'p'.repeat(10) }]) {
    const load = loader(() => ANN)
    const cached = await wrap(learner, options, load.fn)
    // The second has few characters, of three bytes each.
    for (const text of ['x'.repeat(300), '語'.repeat(36)]) {
      // Who keeps them all at one key has a check of its own.
      await redis.flushdb()
      const keys = await entryOf(redis, learner, cached, 7, text)
      const bytes = Math.max(...keys.map((key) => Buffer.byteLength(key)))
      holds(bytes <= 256, both(`bytes of a key with a name and a prefix of 150 bytes in all, for ${text.length} characters of ${Buffer.byteLength(text)} bytes`,
        `số byte của key khi name và prefix dài tổng cộng 150 byte, với ${text.length} ký tự dài ${Buffer.byteLength(text)} byte`), both('at most 256', 'không quá 256'), String(bytes))
    }
  }
  const { fn } = loader(() => ANN)
  await refusesAtOnce(learner, { name: 'n'.repeat(146) }, ['RangeError'], fn, both('a name of 146 bytes and the prefix cache', 'name dài 146 byte và prefix cache'))
  await refusesAtOnce(learner, { name: 'é'.repeat(73) }, ['RangeError'], fn, both('a name of 73 characters and 146 bytes', 'name có 73 ký tự, dài 146 byte'))
  await refusesAtOnce(learner, { name: 'user', prefix: 'p'.repeat(147) }, ['RangeError'], fn, both('a prefix of 147 bytes', 'prefix dài 147 byte'))
})

/** Spoils an entry in each of the ways; another process must compute it anew, once, and leave a good one behind. */
async function badEntries(learner: Learner, other: Learner, redis: Redis, ways: readonly ((key: string) => Promise<void>)[]): Promise<void> {
  const options = { name: 'user', expire: 36_000 }
  const writer = await wrap(learner, options, loader(() => ANN).fn)
  for (const [id, spoilt] of ways.entries()) {
    const keys = await entryOf(redis, learner, writer, id)
    for (const key of keys) await spoilt(key)
  }
  const load = loader(() => ANN)
  const reader = await wrap(other, options, load.fn)
  for (const id of ways.keys()) {
    same(await reader.call(id), ANN, both('the result when the entry is bad', 'kết quả khi entry bị hỏng'))
    same(load.calls.length, id + 1, both(`calls of the function for ${id + 1} bad entries`, `số lần hàm được gọi cho ${id + 1} entry bị hỏng`))
  }
  await settle(other)
  const again = await wrap(other, options, load.fn)
  for (const id of ways.keys()) same(await again.call(id), ANN, both('the result after that', 'kết quả sau đó'))
  same(load.calls.length, ways.length, both('calls of the function once bad entries were replaced', 'số lần hàm được gọi sau khi entry hỏng đã được thay'))
  // A first level could answer instead: whoever comes next must find a good entry too.
  const late = loader(() => ANN)
  const third = await wrap(await learner.withRedis(), options, late.fn)
  for (const id of ways.keys()) same(await third.call(id), ANN, both('the result in the process that wrote the entry', 'kết quả ở tiến trình đã ghi entry'))
  same(late.calls.length, 0, both('calls of the function there', 'số lần hàm được gọi ở đó'))
}

/** Refused by the factory, or by what it gave: when the wrapper is made, not when it is called. */
async function refusesAtOnce(learner: Learner, options: object, classes: string[], fn: unknown, what: Text): Promise<void> {
  let synchronous = false
  await refuses(async () => {
    try {
      return await ((await learner.call('cacheWithRedis', learner.redis, options)) as (fn: unknown) => Promise<unknown>)(fn)
    } catch (error) {
      if (error instanceof LearnerError) ({ synchronous } = error)
      throw error
    }
  }, classes, both(`cacheWithRedis with ${what.en}`, `cacheWithRedis với ${what.vi}`), { throws: true })
  holds(synchronous, both(`cacheWithRedis with ${what.en}`, `cacheWithRedis với ${what.vi}`), both('an error thrown at once', 'ném lỗi ngay'),
    both('a promise that rejects: a factory has no promise to give', 'promise bị từ chối (reject): hàm factory không trả về promise'))
}

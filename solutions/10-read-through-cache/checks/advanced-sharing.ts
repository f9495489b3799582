/**
 * What callers and processes share: nobody's changes, no entry older than a second, `this`, and no key without an expiry.
 */
import { both, check, holds, same, settled } from '#checks'
import { loader, settle, withoutGaps, wrap, type Cached } from './cached.ts'

/** The most a first level in memory may be behind Redis, and a little for clocks that tick coarsely. */
const FIRST_LEVEL_MS = 1100

/** What the replies to the lookups of two callers may take, in milliseconds. */
const LOOKUP_MS = 200

check('results-are-the-callers-own', async ({ learner, did }) => {
  did(both('let every caller change what it got', 'để mỗi bên gọi thay đổi kết quả mình nhận được'))
  const order = { id: 7, items: ['book'], paid: { at: 'noon' } }
  const load = loader(async () => {
    // By then both of two callers at once have looked for an entry, or one waits for the other with a blocking command.
    await settle(learner, LOOKUP_MS).then(() => learner.host.idle()).catch(() => {})
    return order
  })
  const cached = await wrap(learner, { name: 'order' }, load.fn)
  const getAndChange = await learner.host.plant(async (call: (id: number) => Promise<{ items: string[]; paid: { at: string } }>) => {
    const got = await call(7)
    const seen = structuredClone(got)
    try {
      got.items.push('changed')
      got.paid.at = 'changed'
    } catch {
      // A frozen result is nobody's to change.
    }
    return seen
  })
  for (const which of [both('first', 'đầu tiên'), both('second', 'thứ hai'), both('third', 'thứ ba'), both('fourth', 'thứ tư')]) {
    same(await getAndChange(cached.remote), order, both(`what the ${which.en} caller got`, `kết quả mà bên gọi ${which.vi} nhận được`))
  }
  same(load.calls.length, 1, both('calls of the function', 'số lần hàm được gọi'))
  const twoAtOnce = await learner.host.plant(async (call: (id: number) => Promise<{ items: string[] }>, id: number) => {
    const [one, two] = await Promise.all([call(id), call(id)])
    try {
      one.items.push('changed')
    } catch {
      // A frozen result is nobody's to change.
    }
    return two
  })
  // At once for a miss, and at once for a hit.
  for (let i = 0; i < 2; i++) same(await twoAtOnce(cached.remote, 8), order, both('what one of two callers at once got, after the other has changed its result', 'kết quả của một trong hai bên gọi cùng lúc, sau khi bên kia thay đổi kết quả của mình'))
})

check('first-level-is-a-second-old-at-most', async ({ learner, redis, did }) => {
  did(both('deleted an entry behind the back of the process and went on asking for more than a second',
    'xóa entry mà tiến trình không hay biết và tiếp tục hỏi hơn một giây'))
  const here = await wrap(learner, { name: 'user' }, loader((_args, call) => `version ${call}`).fn)
  await withoutGaps(async (callFor, round) => {
    const first = await here.call(round)
    same(await here.call(round), first, both('the result', 'kết quả'))
    await settle(learner)
    for (const key of await redis.keys('*')) await redis.del(key)
    await callFor(FIRST_LEVEL_MS, () => here.call(round))
    const result = await here.call(round)
    holds(result !== first, both('the result more than a second after its entry was deleted', 'kết quả hơn một giây sau khi entry bị xóa'), both('a newer version', 'phiên bản mới hơn'), String(result))
  })
}, { waits: true })

check('this-is-kept', async ({ learner, did }) => {
  did(both('wrapped a function that uses `this` and called it as a method, also with a function as an argument', 'bọc một hàm có dùng `this` và gọi như một phương thức, cả khi có tham số là hàm'))
  const priceOf = await learner.host.plant(function (this: { currency: string } | undefined, item: string) {
    return Promise.resolve(`${item} in ${this?.currency}`)
  })
  const cached = await wrap(learner, { name: 'price' }, priceOf)
  const callAsMethod = await learner.host.plant((price: (item: string) => Promise<string>, item: string) => ({ currency: 'VND', price }).price(item))
  same(await callAsMethod(cached.remote, 'tea'), 'tea in VND', both('the result of a method that reads `this.currency`', 'kết quả của phương thức đọc `this.currency`'))
  // What is no data may be refused; where the function is called all the same, it is called with its `this`.
  const callWithFunction = await learner.host.plant((price: (item: string, sale: () => boolean) => Promise<string>, item: string) => ({ currency: 'VND', price }).price(item, () => true))
  const outcome = await settled(callWithFunction(cached.remote, 'tea'))
  if ('value' in outcome) same(outcome.value, 'tea in VND', both('the result of the same method with a function as its second argument', 'kết quả của chính phương thức đó khi tham số thứ hai là một hàm'))
})

check('crash-leaves-an-expiry', async ({ cuts, redis, did }) => {
  did(both('cut the connection before the first and after each command of a first call', 'cắt kết nối trước lệnh đầu tiên và sau từng lệnh của lời gọi đầu tiên'))
  await cuts.explore({
    open: (caller) => wrap(caller, { name: 'user', expire: 60 }, loader(() => ({ id: 7 })).fn),
    call: (_, cached: Cached) => cached.call(7),
    audit: async () => {
      for (const key of await redis.keys('*')) {
        holds((await redis.pttl(key)) > 0, both(`after the crash, the expiry of ${key.slice(0, 40)}`, `sau khi sập, thời hạn của ${key.slice(0, 40)}`),
          both('an expiry', 'có thời hạn'), both('none: it is never computed again', 'không có: kết quả không bao giờ được tính lại'))
      }
    },
  })
})

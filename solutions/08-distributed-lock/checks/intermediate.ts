/**
 * A lock is its owner's: only the acquisition that holds it frees or extends it, a refusal changes nothing, and tokens
 * rise. `withLock` gives the lock back whatever fn does. Bad input is refused before anything is sent.
 */
import type { Text } from '#catalog/text.ts'
import type { Redis } from 'ioredis'
import {
  atMost, between, both, check, holds, type Instance, type Learner, refuses, same, serverNow, serverReaches, settled, storm,
} from '#checks'
import { inGoodTime } from './clock.ts'
import { acquires, extend, leaseKeys, leasesEnd, lockOf, LONG_MS, releases, timeLeft, tokenOf } from './lease.ts'
import { section, told } from './section.ts'

check('one-of-many-gets-it', async ({ learner, did }) => {
  did(both('asked for a free lock 30 times at once on one connection',
    'xin một khóa rảnh 30 lần cùng lúc trên một kết nối'))
  const locks = await storm(30, () => lockOf(learner, 'orders'))
  const answers = await storm(30, (i) => acquires(locks[i]!))
  same(answers.filter(Boolean).length, 1,
    both('acquisitions among 30 calls at once', 'số lần lấy được khóa trong 30 lời gọi cùng lúc'))
})

check('only-the-owner-releases', async ({ learner, redis, did }) => {
  did(both('let a lease end, gave the lock to another, and released as the first; let a withLock lose its lease, took the lock anew on the same instance, and let that withLock end',
    'để thời hạn giữ khóa kết thúc, bên khác lấy khóa, rồi bên đầu gọi release; để một withLock hết thời hạn, lấy lại khóa trên cùng đối tượng, rồi để withLock đó kết thúc'))
  const late = await lockOf(learner, 'orders')
  const owner = await lockOf(learner, 'orders')
  await acquires(late)
  await leasesEnd(redis)
  same(await acquires(owner), true, both('acquire after the lease has ended', 'acquire sau khi thời hạn kết thúc'))
  same(await releases(late), false,
    both('release by the first, whose lease has ended', 'release bởi bên đầu, đã hết thời hạn'))
  same(await releases(owner), true, both('release by the new owner', 'release bởi bên giữ khóa mới'))
  await acquires(late)
  await leasesEnd(redis)
  same(await releases(late), false,
    both('release after the lease has ended, with nobody in between', 'release sau khi hết thời hạn, chưa ai lấy khóa'))
  // An acquisition is an owner of its own, though it is of the same instance.
  const run = section(late)
  await run.entered()
  await leasesEnd(redis)
  same(await acquires(late), true, both('acquire on the instance whose withLock lost its lease', 'acquire trên đối tượng có withLock đã hết thời hạn'))
  const token = await late.get('fencingToken')
  run.leave()
  await run.ending()
  same(await acquires(owner), false,
    both('acquire by another once that withLock has ended, the lock taken anew on the same instance meanwhile',
      'acquire bởi bên khác sau khi withLock đó kết thúc, trong khi khóa đã được lấy lại trên cùng đối tượng'))
  same(await late.get('fencingToken'), token,
    both('fencingToken of what was taken anew, once that withLock has ended',
      'fencingToken của lần lấy lại, sau khi withLock đó kết thúc'))
  same(await releases(late), true,
    both('release of what was taken anew, once that withLock has ended', 'release lần lấy lại, sau khi withLock đó kết thúc'))
})

check('refusal-changes-nothing', async ({ learner, redis, did }) => {
  did(both('set the time left of a held lock to 30 s, asked for it as its owner and as another, then looked at the tokens, the time left and who owns it',
    'đặt thời gian còn lại của khóa đang bị giữ thành 30 giây, xin khóa với tư cách chính bên giữ và bên khác, rồi xem token, thời gian còn lại và ai đang giữ'))
  const owner = await lockOf(learner, 'orders', { ttlMs: 60_000 })
  const other = await lockOf(learner, 'orders', { ttlMs: LONG_MS })
  const keys = await leaseKeys(redis, owner)
  await acquires(owner)
  const token = await owner.get('fencingToken')
  const [before = 0] = await timeLeft(redis, keys)
  // So much less than a new lease has that a renewal is seen, however little time passes.
  if (before > 0) await Promise.all(keys.map((key) => redis.pexpire(key, 30_000)))
  await acquires(owner)
  await acquires(other)
  same(await owner.get('fencingToken'), token,
    both('the owner\'s fencingToken after it was refused', 'fencingToken của bên giữ khóa sau khi bị từ chối'))
  same(await other.get('fencingToken'), null,
    both('fencingToken of one that never got the lock', 'fencingToken của bên chưa từng lấy được khóa'))
  for (const ms of await timeLeft(redis, keys)) {
    between(ms, 0, Math.min(before, 30_000),
      both('the owner\'s time left, in ms', 'thời gian còn lại của bên giữ khóa, tính bằng ms'))
  }
  same(await releases(other), false, both('release by one that was refused', 'release bởi bên đã bị từ chối'))
  same(await releases(owner), true,
    both('release by the owner, which was refused a second acquisition',
      'release bởi bên giữ khóa, dù lần acquire thứ hai bị từ chối'))
})

check('extend-moves-the-end', async ({ learner, redis, did }) => {
  did(both('extended a lease to a later end, then to an earlier one, released the lock and took it again; released another, extended, after ttlMs',
    'gia hạn để thời hạn kết thúc muộn hơn, rồi sớm hơn, trả khóa và lấy lại; trả một khóa khác, đã gia hạn, sau khi ttlMs trôi qua'))
  const lock = await lockOf(learner, 'orders', { ttlMs: 20_000 })
  const keys = await leaseKeys(redis, lock)
  await acquires(lock)
  const [usual] = await timeLeft(redis, keys)
  for (const ms of [45_000, 30_000, 5500]) {
    const asked = await serverNow(redis)
    same(await extend(lock, ms), true, both(`extend(${ms}) by the owner`, `extend(${ms}) bởi bên giữ khóa`))
    const left = await timeLeft(redis, keys)
    const passed = (await serverNow(redis)) - asked
    for (const time of left) {
      between(time, Math.floor(ms - passed - 2), ms,
        both(`the time left after extend(${ms}), in ms (-1: no expiry)`, `thời gian còn lại sau extend(${ms}), tính bằng ms (-1: không có thời hạn)`))
    }
  }
  await extend(lock, 45_000)
  same(await releases(lock), true, both('release by the owner', 'release bởi bên giữ khóa'))
  // An extension is one of that lease, not of the next one.
  await acquires(lock)
  for (const time of await timeLeft(redis, keys)) {
    between(time, 0, (usual ?? 0) + 1000,
      both('the time left of the next acquisition with ttlMs: 20000, after extend(45000) and release, in ms (-1: no expiry)',
        'thời gian còn lại của lần acquire tiếp theo với ttlMs: 20000, sau extend(45000) và release, tính bằng ms (-1: không có thời hạn)'))
  }
  await isHeldBeyondTtl(learner, redis)
}, { waits: true })

check('extend-needs-ownership', async ({ learner, redis, did }) => {
  did(both('extended without owning: never acquired, released, lease ended, lock given to another',
    'gọi extend khi không giữ khóa: chưa acquire, đã release, hết thời hạn, khóa đã về bên khác'))
  const lock = await lockOf(learner, 'orders', { ttlMs: 20_000 })
  const other = await lockOf(learner, 'orders', { ttlMs: 20_000 })
  const keys = await leaseKeys(redis, other)
  const refused = async (en: string, vi: string): Promise<void> => {
    same(await extend(lock, LONG_MS), false, both(`extend ${en}`, `extend ${vi}`))
    same(await acquires(other), true,
      both(`acquire by another after extend ${en}`, `acquire bởi bên khác sau extend ${vi}`))
    await releases(other)
  }
  await refused('before any acquisition', 'khi chưa từng acquire')
  await acquires(lock)
  await releases(lock)
  await refused('after the release', 'sau khi đã trả khóa')
  await acquires(lock)
  await leasesEnd(redis)
  await refused('after the lease has ended', 'sau khi hết thời hạn')
  await acquires(lock)
  await leasesEnd(redis)
  await acquires(other)
  const [before] = await timeLeft(redis, keys)
  same(await extend(lock, LONG_MS), false,
    both('extend when another owns the lock', 'extend khi bên khác đang giữ khóa'))
  for (const ms of await timeLeft(redis, keys)) {
    between(ms, 0, before ?? 0,
      both('the other owner\'s time left, in ms', 'thời gian còn lại của bên giữ khóa kia, tính bằng ms'))
  }
  same(await releases(other), true, both('release by the other owner', 'release bởi bên giữ khóa kia'))
})

check('tokens-rise', async ({ learner, redis, did }) => {
  did(both('compared the tokens of acquisitions after releases, refusals and ended leases, extended ones too, and the one fn is given',
    'so sánh token của các lần acquire sau khi trả khóa, bị từ chối, hết thời hạn kể cả đã gia hạn, và token đưa cho fn'))
  const [ann, bob] = [await lockOf(learner, 'orders'), await lockOf(learner, 'orders')]
  const tokens: number[] = []
  const take = async (lock: Instance): Promise<void> => {
    same(await acquires(lock), true, both('acquire of a free lock', 'acquire khi khóa rảnh'))
    tokens.push(await tokenOf(lock))
  }
  for (const lock of [ann, ann, bob]) {
    await take(lock)
    await acquires(lock === ann ? bob : ann)
    await releases(lock)
  }
  for (const lock of [ann, bob, bob]) {
    await take(lock)
    await extend(lock, 60_000)
    await leasesEnd(redis)
  }
  const run = section(await lockOf(learner, 'orders'))
  tokens.push(Number((await run.entered()).token))
  run.leave()
  await run.ending()
  await leasesEnd(redis)
  await take(bob)
  for (const [i, token] of tokens.entries()) {
    holds(i === 0 || token > tokens[i - 1]!,
      both('tokens, in the order of the acquisitions', 'các token theo thứ tự lấy được khóa'),
      both('each higher than the one before', 'token sau lớn hơn token trước'), tokens.join(', '))
  }
})

check('errors-of-fn-pass', async ({ learner, did }) => {
  did(both('let fn throw', 'để fn ném lỗi'))
  const run = section(await lockOf(learner, 'orders'))
  await run.entered()
  const error = new Error('out of stock')
  run.fail(error)
  const ending = await run.ending()
  holds('error' in ending && ending.error.original === error,
    both('what withLock does when fn throws', 'withLock khi fn ném lỗi'),
    both('it rejects with fn\'s own error', 'bị từ chối (reject) với đúng lỗi của fn'), told(ending))
  const throwsNothing = await learner.host.plant(() => Promise.reject(undefined))
  const end = await settled((await lockOf(learner, 'stock')).call('withLock', throwsNothing))
  holds('error' in end, both('what withLock does when fn throws undefined', 'withLock khi fn ném undefined'),
    both('it rejects', 'bị từ chối (reject)'), told(end))
})

check('lock-is-free-after-an-error', async ({ learner, did }) => {
  did(both('let fn throw, then asked for the lock', 'để fn ném lỗi rồi xin khóa'))
  const run = section(await lockOf(learner, 'orders', { ttlMs: LONG_MS }))
  const other = await lockOf(learner, 'orders')
  await run.entered()
  same(await acquires(other), false,
    both('acquire by somebody else while fn runs', 'acquire bởi bên khác trong khi fn chạy'))
  run.fail(new Error('out of stock'))
  await run.ending()
  same(await acquires(other), true,
    both('acquire by somebody else after fn has thrown', 'acquire bởi bên khác sau khi fn ném lỗi'))
  await releases(other)
  const throwsAtOnce = await learner.host.plant(() => { throw new Error('out of stock') })
  await settled((await lockOf(learner, 'orders', { ttlMs: LONG_MS })).call('withLock', throwsAtOnce))
  same(await acquires(other), true,
    both('acquire by somebody else after fn has thrown before it gave a promise',
      'acquire bởi bên khác sau khi fn ném lỗi trước khi trả về promise'))
})

check('bad-options-are-refused', async ({ learner, did }) => {
  did(both('made locks with names and options that are none', 'tạo khóa với tên và tùy chọn không hợp lệ'))
  const refused = (classes: string[], name: unknown, options: object = {}): Promise<void> => {
    const call = `new DistributedLock(redis, ${JSON.stringify(name) ?? 'undefined'}, ${inspect(options)})`
    const make = (): Promise<unknown> => learner.make('DistributedLock', learner.redis, name, options)
    return refuses(make, classes, both(call, call), { throws: true })
  }
  same(await acquires(await lockOf(learner, 'orders', { ttlMs: 1000, retryMs: 1, waitMs: 0 })), true,
    both('acquire with good options', 'acquire với tùy chọn hợp lệ'))
  for (const name of [undefined, null, 42, {}]) await refused(['TypeError'], name)
  for (const option of ['ttlMs', 'retryMs', 'waitMs']) {
    for (const value of [-1, 1.5, Infinity]) await refused(['RangeError'], 'orders', { [option]: value })
    if (option !== 'waitMs') await refused(['RangeError'], 'orders', { [option]: 0 })
    for (const value of ['60', NaN]) await refused(['TypeError', 'RangeError'], 'orders', { [option]: value })
  }
})

check('bad-lease-lengths-are-refused', async ({ learner, did }) => {
  did(both('extended by lengths that are none: never acquired, as the owner, and after the release',
    'gọi extend với thời lượng không hợp lệ: khi chưa acquire, khi đang giữ khóa, và sau khi trả khóa'))
  const lock = await lockOf(learner, 'orders')
  const refused = async (en: string, vi: string): Promise<void> => {
    learner.wire.forget()
    for (const ms of [0, -1, 1.5, Infinity, NaN, '60', undefined, null]) {
      const call = `extend(${typeof ms === 'string' ? `'${ms}'` : String(ms)})`
      const classes = typeof ms === 'number' && !Number.isNaN(ms) ? ['RangeError'] : ['RangeError', 'TypeError']
      await refuses(() => lock.call('extend', ms), classes, both(`${call} ${en}`, `${call} ${vi}`))
    }
    same(learner.wire.commands().length, 0,
      both('commands sent for bad lengths', 'số lệnh được gửi với thời lượng không hợp lệ'))
  }
  await refused('before any acquisition', 'khi chưa từng acquire')
  await acquires(lock)
  same(await extend(lock, 5000), true, both('extend(5000) by the owner', 'extend(5000) bởi bên giữ khóa'))
  await refused('by the owner', 'bởi bên giữ khóa')
  await releases(lock)
  await refused('after the release', 'sau khi đã trả khóa')
})

check('lock-costs-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of acquire, granted and refused, and of release',
    'đếm số lượt gửi–nhận của acquire (được và bị từ chối) và của release'))
  const [lock, other] = [await lockOf(learner, 'orders'), await lockOf(learner, 'orders')]
  await acquires(lock)
  await acquires(other)
  await releases(lock)
  const cost = async (call: () => Promise<boolean>, expected: boolean, most: number, what: Text): Promise<void> => {
    let answer: boolean | undefined
    const { trips } = await learner.roundTrips(async () => { answer = await call() })
    same(answer, expected, both(`the answer of ${what.en}`, `kết quả của ${what.vi}`))
    atMost(trips, most, both(`round trips of ${what.en}`, `số lượt gửi–nhận của ${what.vi}`))
  }
  for (let i = 0; i < 2; i++) {
    await cost(() => acquires(lock), true, 1, both('a granted acquire', 'acquire thành công'))
    await cost(() => acquires(other), false, 2, both('a refused acquire', 'acquire bị từ chối'))
    await cost(() => releases(lock), true, 1, both('a release', 'release'))
  }
})

/** An extended lease is its owner's, also when ttlMs have passed since the acquisition. */
async function isHeldBeyondTtl(learner: Learner, redis: Redis): Promise<void> {
  await inGoodTime(redis, [learner], async (ttlMs, round) => {
    const name = `stock-${round}`
    const lock = await lockOf(learner, name, { ttlMs })
    await acquires(lock)
    same(await extend(lock, 60_000), true, both('extend(60000) by the owner', 'extend(60000) bởi bên giữ khóa'))
    await serverReaches(redis, (await serverNow(redis)) + 1.25 * ttlMs)
    same(await releases(lock), true,
      both(`release with ttlMs: ${ttlMs}, later than that but within extend(60000)`,
        `release với ttlMs: ${ttlMs}, muộn hơn mốc đó nhưng vẫn trong extend(60000)`))
    same(await acquires(await lockOf(learner, name)), true,
      both('acquire by another after that release', 'acquire bởi bên khác sau lần release đó'))
  })
}

function inspect(options: object): string {
  const parts = Object.entries(options)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? `'${value}'` : String(value)}`)
  return parts.length > 0 ? `{ ${parts.join(', ')} }` : '{}'
}

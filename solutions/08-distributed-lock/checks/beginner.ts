/**
 * What a lock is: one holder at a time, a key with an expiry, yes or no as the answer, and a token for each
 * acquisition. `withLock` runs a function while holding the lock and gives it back.
 */
import type { Redis } from 'ioredis'
import { between, both, check, holds, type Instance, type Learner, quiet, same, shown, type Text, until } from '#checks'
import { acquires, leaseKeys, lockOf, LONG_MS, releases, timeLeft } from './lease.ts'
import { section } from './section.ts'

/** A lease that is over before a slow machine has looked at it, in milliseconds. */
const SHORTEST_MS = 20

/** How often to look at one. */
const LOOKS = 10

check('answers-are-booleans', async ({ learner, did }) => {
  did(both('asked for yes and for no from acquire, extend and release',
    'gọi acquire, extend và release trong cả hai trường hợp có và không'))
  const lock = await lockOf(learner, 'orders')
  const other = await lockOf(learner, 'orders')
  same([await lock.call('acquire'), await other.call('acquire')], [true, false],
    both('acquire of a free lock, then of a held one', 'acquire khi khóa rảnh, rồi khi khóa đang bị giữ'))
  same([await lock.call('extend', LONG_MS), await other.call('extend', LONG_MS)], [true, false],
    both('extend by the owner, then by somebody else', 'extend bởi bên giữ khóa, rồi bởi bên khác'))
  same([await other.call('release'), await lock.call('release')], [false, true],
    both('release by somebody else, then by the owner', 'release bởi bên khác, rồi bởi bên giữ khóa'))
})

check('held-lock-is-refused', async ({ learner, did }) => {
  did(both('asked for a held lock, as somebody else and as its owner',
    'xin khóa đang bị giữ, với tư cách bên khác và chính bên giữ khóa'))
  const lock = await lockOf(learner, 'orders')
  const other = await lockOf(learner, 'orders')
  same(await acquires(lock), true, both('acquire of a free lock', 'acquire khi khóa rảnh'))
  same(await acquires(other), false,
    both('acquire by somebody else while the lock is held', 'acquire bởi bên khác khi khóa đang bị giữ'))
  same(await acquires(lock), false, both('acquire once more by the owner', 'acquire lần nữa bởi chính bên giữ khóa'))
})

check('acquire-never-waits', async ({ learner, did }) => {
  did(both('asked for a held lock and waited for the answer', 'xin khóa đang bị giữ và chờ câu trả lời'))
  const lock = await lockOf(learner, 'orders', { ttlMs: LONG_MS })
  const waiter = await learner.withRedis()
  const other = await lockOf(waiter, 'orders', { ttlMs: LONG_MS, waitMs: LONG_MS, retryMs: LONG_MS })
  same(await acquires(lock), true, both('acquire of a free lock', 'acquire khi khóa rảnh'))
  let answered = false
  const answer = acquires(other).finally(() => { answered = true })
  answer.catch(() => {})
  await until(() => answered,
    both('acquire to answer, instead of waiting for the lock', 'acquire trả lời ngay thay vì chờ khóa'), 2500)
  await answer
})

check('release-frees-the-lock', async ({ learner, did }) => {
  did(both('released before, while and after holding the lock',
    'release trước khi giữ, trong khi giữ và sau khi đã trả khóa'))
  const lock = await lockOf(learner, 'orders')
  const other = await lockOf(learner, 'orders')
  same(await releases(lock), false, both('release without ever having acquired', 'release khi chưa từng acquire'))
  same(await acquires(lock), true, both('acquire of a free lock', 'acquire khi khóa rảnh'))
  same(await releases(lock), true, both('release by the owner', 'release bởi bên giữ khóa'))
  same(await releases(lock), false, both('a second release', 'release lần thứ hai'))
  same(await acquires(other), true,
    both('acquire by somebody else after the release', 'acquire bởi bên khác sau khi khóa được trả'))
})

check('key-is-named', async ({ learner, redis, did }) => {
  did(both('held the lock "orders" and released it, and looked at the keys both times',
    'giữ khóa "orders" rồi trả, và xem các key cả hai lần'))
  const lock = await lockOf(learner, 'orders')
  await acquires(lock)
  same(await redis.exists('lock:orders'), 1,
    both('whether lock:orders exists while the lock is held (1 is yes)',
      'lock:orders có tồn tại khi khóa đang bị giữ (1 là có)'))
  await releases(lock)
  same(await redis.exists('lock:orders'), 0,
    both('whether lock:orders exists after the release (0 is no)',
      'lock:orders có tồn tại sau khi trả khóa (0 là không)'))
  for (const key of await redis.keys('*')) {
    if ((await redis.pttl(key)) !== -1) continue
    holds(key.startsWith('lock:'), both('the beginning of the key that stays', 'phần đầu của key còn lại'), 'lock:',
      key.slice(0, 40))
  }
})

check('lease-ends-within-ttl', async ({ learner, redis, did }) => {
  did(both('took locks with leases of 5 s, of the default and of 20 ms, and looked at the expiry',
    'lấy khóa với thời hạn 5 giây, thời hạn mặc định và 20 mili giây rồi xem TTL'))
  for (const ttlMs of [5000, 10_000]) {
    const { left } = await justTaken(learner, redis, `orders-${ttlMs}`, ttlMs === 10_000 ? undefined : { ttlMs })
    holds(left.length > 0, both('keys while the lock is held', 'số key khi khóa đang bị giữ'), '≥ 1', '0')
    for (const ms of left) between(ms, ttlMs / 2, ttlMs, timeLeftOf(ttlMs))
  }
  // So short a lease may be over when somebody looks; one that was made longer is not, where looking takes no time.
  for (let look = 1; look <= LOOKS; look++) {
    const { left, within } = await justTaken(learner, redis, `orders-${look}`, { ttlMs: SHORTEST_MS })
    for (const ms of left) between(ms, 0, SHORTEST_MS, timeLeftOf(SHORTEST_MS))
    if (within <= 2 * SHORTEST_MS) break
  }
})

check('names-are-independent', async ({ learner, did }) => {
  did(both('held a lock and asked for locks of other names', 'giữ một khóa rồi xin các khóa tên khác'))
  const held = await lockOf(learner, 'orders')
  same(await acquires(held), true, both('acquire of a free lock', 'acquire khi khóa rảnh'))
  for (const name of ['order', 'orders2', 'Orders', 'orders 1', ' orders', 'orders ', 'đơn hàng', '*']) {
    const lock = await lockOf(learner, name)
    same(await acquires(lock), true,
      both(`acquire of "${name}" while "orders" is held`, `acquire "${name}" khi "orders" đang bị giữ`))
    same(await releases(lock), true, both(`release of "${name}"`, `release "${name}"`))
  }
  same(await releases(held), true,
    both('release of "orders", held all along', 'release "orders", khóa được giữ từ đầu'))
})

check('with-lock-holds-while-fn-runs', async ({ learner, did }) => {
  did(both('asked for the lock while fn ran, and after it, then held its release up on the way to Redis',
    'xin khóa trong khi fn chạy và sau khi fn xong, rồi giữ lệnh trả khóa lại trên đường đến Redis'))
  const lock = await lockOf(learner, 'orders')
  const other = await lockOf(learner, 'orders')
  for (const result of ['done', 0, undefined]) {
    const run = section(lock)
    await run.entered()
    same(await acquires(other), false,
      both('acquire by somebody else while fn runs', 'acquire bởi bên khác trong khi fn chạy'))
    run.leave(result)
    same(await run.ending(), { value: result }, both('what withLock gives', 'kết quả của withLock'))
    same(await acquires(other), true,
      both('acquire by somebody else after withLock', 'acquire bởi bên khác sau withLock'))
    await releases(other)
  }
  await waitsForItsRelease(learner, lock)
})

check('token-belongs-to-the-acquisition', async ({ learner, did }) => {
  did(both('read fencingToken before, while and after holding the lock',
    'đọc fencingToken trước khi giữ, trong khi giữ và sau khi trả khóa'))
  const lock = await lockOf(learner, 'orders')
  same(await lock.get('fencingToken'), null,
    both('fencingToken before the first acquisition', 'fencingToken trước lần acquire đầu tiên'))
  for (const round of ['first', 'second']) {
    await acquires(lock)
    const token = await lock.get('fencingToken')
    holds(typeof token === 'number' && Number.isFinite(token), both(`fencingToken of the ${round} acquisition`,
      `fencingToken của lần acquire ${round === 'first' ? 'đầu' : 'thứ hai'}`),
      both('a number', 'một số'), shown(token))
    await releases(lock)
    same(await lock.get('fencingToken'), null, both('fencingToken after the release', 'fencingToken sau khi trả khóa'))
  }
  const run = section(lock)
  await run.entered()
  run.leave()
  await run.ending()
  same(await lock.get('fencingToken'), null, both('fencingToken after withLock', 'fencingToken sau withLock'))
})

/** A lock that was just taken: the time its keys have left, and how long it took to take it and to look, in milliseconds. */
async function justTaken(
  learner: Learner, redis: Redis, name: string, options?: { ttlMs: number },
): Promise<{ left: number[]; within: number }> {
  const lock = await lockOf(learner, name, options)
  const keys = await leaseKeys(redis, await lockOf(learner, name))
  const before = performance.now()
  same(await acquires(lock), true, both('acquire of a free lock', 'acquire khi khóa rảnh'))
  const left = await timeLeft(redis, keys)
  return { left, within: performance.now() - before }
}

const timeLeftOf = (ttlMs: number): Text => both(
  `the time left of a lease of ${ttlMs} ms just taken, in ms (-1: no expiry)`,
  `thời gian còn lại, tính bằng ms, của thời hạn ${ttlMs} ms vừa nhận (-1: không có thời hạn)`)

/** The lock is free when withLock settles, not some time later. */
async function waitsForItsRelease(learner: Learner, lock: Instance): Promise<void> {
  const run = section(lock)
  await run.entered()
  const gate = Promise.withResolvers<'pass'>()
  let sent = false
  learner.wire.gate = () => {
    sent = true
    return gate.promise
  }
  run.leave()
  await until(() => sent, both('withLock to send its release', 'withLock gửi lệnh trả khóa'))
  await quiet(learner)
  holds(run.ended() === null,
    both('withLock while its release is on its way to Redis', 'withLock khi lệnh trả khóa chưa đến Redis'),
    both('not settled yet', 'chưa kết thúc'), both('settled', 'đã kết thúc'))
  learner.wire.gate = null
  gate.resolve('pass')
  await run.ending()
}

/**
 * Failures reach the caller, but never hide what fn did; the lock works on after the script cache was emptied; and
 * nothing outlives withLock.
 */
import { both, check, holds, type Learner, rejects, same, serverNow, type Text, until } from '#checks'
import { acquires, extend, leasesEnd, lockOf, LONG_MS } from './lease.ts'
import { section, type Section, timedOut, told } from './section.ts'

/** The shortest lease that a machine at work can keep. */
const SHORT_MS = 400

/**
 * Leases that are renewed soon, and so long that a timer they have left behind is still there when somebody looks: the
 * second one on a machine where looking takes long.
 */
const FORGOTTEN_MS = [3000, 12_000]

/** How often to look for timers: those of a client that is being closed go within a few turns of the event loop. */
const LOOKS = 20

check('nothing-outlives-with-lock', async ({ learner, another, did }) => {
  did(both('let fn return and throw, let withLock time out, let fn return while a renewal was on its way, then counted timers',
    'để fn trả về và ném lỗi, để withLock hết thời gian chờ, để fn trả về khi một lần gia hạn đang diễn ra, rồi đếm timer'))
  learner.host.deadline(10_000)
  const lock = await lockOf(learner, 'orders', { ttlMs: LONG_MS })
  const [returns, throws] = [section(lock), section(await lockOf(learner, 'stock', { ttlMs: LONG_MS }))]
  await Promise.all([returns.entered(), throws.entered()])
  const late = section(await lockOf(learner, 'orders', { waitMs: 40, retryMs: 5 }))
  late.leave()
  await late.ending()
  returns.leave()
  throws.fail(new Error('out of stock'))
  await Promise.all([returns.ending(), throws.ending()])
  let process = learner
  for (const leaseMs of FORGOTTEN_MS) {
    process.host.deadline(5 * leaseMs)
    const renewedAt = await endsDuringARenewal(await process.withRedis(), leaseMs)
    same(await timersLeft(process), 0, both('timers left by withLock', 'số timer withLock để lại'))
    // Later than that, a timer that was left behind may have run out.
    if (performance.now() - renewedAt < leaseMs / 2) break
    process = await another()
  }
}, { waits: true })

check('result-survives-a-failed-release', async ({ learner, did }) => {
  did(both('cut Redis off while fn ran, then let fn return, and throw',
    'ngắt Redis khi fn đang chạy, rồi để fn trả về, và để fn ném lỗi'))
  const error = new Error('out of stock')
  for (const end of ['return', 'throw'] as const) {
    const process = await learner.withRedis({ reconnects: false, retriesPerRequest: 0 })
    const run = section(await lockOf(process, end, { ttlMs: LONG_MS }))
    await run.entered()
    process.wire.down()
    if (end === 'return') run.leave('done')
    else run.fail(error)
    const ending = await run.ending()
    const what = both(`what withLock does when fn ${end}s and the release fails`,
      `withLock khi fn ${end === 'return' ? 'trả về' : 'ném lỗi'} và release thất bại`)
    if (end === 'return') {
      holds('value' in ending && ending.value === 'done', what, both('it gives fn\'s result', 'trả về kết quả của fn'),
        told(ending))
    } else {
      holds('error' in ending && ending.error.original === error, what,
        both('it rejects with fn\'s own error', 'bị từ chối (reject) với đúng lỗi của fn'), told(ending))
    }
  }
})

check('result-survives-a-lost-lease', async ({ learner, redis, did }) => {
  did(both('let fn return after the lease was lost: once when Redis had been cut off for a while, once with Redis working all along',
    'để fn trả về sau khi mất khóa: một lần khi Redis đã bị ngắt một lúc, một lần khi Redis vẫn hoạt động'))
  learner.host.deadline(10_000)
  const gives = async (run: Section, what: Text): Promise<void> => {
    run.leave('done')
    const ending = await run.ending()
    holds('value' in ending && ending.value === 'done', what, both('it gives fn\'s result', 'trả về kết quả của fn'),
      told(ending))
  }
  const process = await learner.withRedis({ retriesPerRequest: 0 })
  const run = section(await lockOf(process, 'orders', { ttlMs: SHORT_MS }))
  const { aborted } = await run.entered()
  process.wire.down()
  const end = (await serverNow(redis)) + 2 * SHORT_MS
  await until(async () => (await aborted()) || (await serverNow(redis)) > end,
    both('the signal to abort', 'signal bị hủy (abort)'))
  process.wire.up()
  await until(() => process.wire.open() > 0, both('the client to connect again', 'client kết nối lại'))
  await gives(run, both('withLock after the lease was lost', 'withLock sau khi mất khóa'))
  // The release is the first to find out.
  const unaware = section(await lockOf(process, 'stock', { ttlMs: LONG_MS }))
  await unaware.entered()
  await leasesEnd(redis)
  await gives(unaware, both('withLock after the lease was lost, the signal not having aborted yet',
    'withLock sau khi mất khóa mà signal chưa bị hủy (abort)'))
}, { waits: true })

check('redis-failure-rejects', async ({ learner, did }) => {
  did(both('called every method with Redis out of reach, and cut Redis off while a withLock waited',
    'gọi mọi phương thức khi không kết nối được Redis, và ngắt Redis trong lúc một withLock đang chờ'))
  const offline = await learner.withRedis({ reconnects: false, retriesPerRequest: 0 })
  const held = await lockOf(offline, 'orders')
  const extended = await lockOf(offline, 'prices')
  const free = await lockOf(offline, 'stock', { waitMs: 200, retryMs: 10 })
  same(await acquires(held), true, both('acquire while Redis works', 'acquire khi Redis còn hoạt động'))
  await acquires(extended)
  same(await extend(extended, 5000), true, both('extend while Redis works', 'extend khi Redis còn hoạt động'))
  offline.wire.down()
  await rejects(() => free.call('acquire'),
    both('acquire while Redis is out of reach', 'acquire khi không kết nối được Redis'))
  await rejects(() => extended.call('extend', 5000),
    both('extend while Redis is out of reach', 'extend khi không kết nối được Redis'))
  await rejects(() => held.call('release'),
    both('release while Redis is out of reach', 'release khi không kết nối được Redis'))
  const run = section(free)
  run.leave()
  const ending = await run.ending()
  same(run.given() === null, true, both('whether fn was left alone', 'fn không bị chạy'))
  holds('error' in ending && !timedOut(ending),
    both('withLock while Redis is out of reach', 'withLock khi không kết nối được Redis'),
    both('the error of Redis', 'lỗi của Redis'), told(ending))
  await failsAWaiter(learner)
})

check('survives-an-emptied-script-cache', async ({ learner, redis, did }) => {
  did(both('emptied the script cache between the calls', 'xóa script cache giữa các lời gọi'))
  const lock = await lockOf(learner, 'orders')
  for (let round = 0; round < 2; round++) {
    for (const [method, ...args] of [['acquire'], ['extend', 5000], ['release']] as const) {
      await redis.script('FLUSH')
      same(Boolean(await lock.call(method, ...args)), true,
        both(`${method} after SCRIPT FLUSH`, `${method} sau SCRIPT FLUSH`))
    }
  }
  const run = section(lock)
  await run.entered()
  await redis.script('FLUSH')
  run.leave()
  await run.ending()
  same(await acquires(lock), true,
    both('acquire after withLock, the cache emptied while fn ran',
      'acquire sau withLock, cache bị xóa khi fn đang chạy'))
})

/** Redis fails at the second command of a waiter: the first try does not count for all. */
async function failsAWaiter(learner: Learner): Promise<void> {
  same(await acquires(await lockOf(learner, 'seats', { ttlMs: LONG_MS })), true,
    both('acquire of a free lock', 'acquire khi khóa rảnh'))
  const process = await learner.withRedis({ reconnects: false, retriesPerRequest: 0 })
  let commands = 0
  process.wire.gate = () => {
    if (commands++ === 0) return 'pass'
    process.wire.down()
    return 'cut'
  }
  const run = section(await lockOf(process, 'seats', { waitMs: 2000, retryMs: 10 }))
  run.leave()
  const ending = await run.ending()
  holds('error' in ending && !timedOut(ending),
    both('withLock when Redis fails while it waits', 'withLock khi Redis lỗi trong lúc chờ khóa'),
    both('the error of Redis', 'lỗi của Redis'), told(ending))
}

/** Looks, not milliseconds: a wait that a slow machine stretches outlasts the timers. */
async function timersLeft(learner: Learner): Promise<number> {
  for (let look = 1; ; look++) {
    // Closing the clients is part of looking: what is left then keeps a process alive.
    const { timers, resources } = await learner.host.reset()
    const left = Math.max(timers, resources.filter((name) => name === 'Timeout').length)
    if (left === 0 || look === LOOKS) return left
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/**
 * fn returns while a renewal is on its way: whoever arms the next one when it comes back must see that all is over.
 * Tells when the renewal came.
 */
async function endsDuringARenewal(process: Learner, ttlMs: number): Promise<number> {
  const run = section(await lockOf(process, `renewed-${ttlMs}`, { ttlMs }))
  await run.entered()
  const gate = Promise.withResolvers<'pass'>()
  let renewing = false
  process.wire.gate = () => {
    renewing = true
    return gate.promise
  }
  // Whoever does not renew has a check of its own.
  const end = performance.now() + ttlMs
  await until(() => renewing || performance.now() > end, both('a renewal', 'một lần gia hạn'), 2 * ttlMs)
  const renewedAt = performance.now()
  run.leave()
  await process.host.idle()
  process.wire.gate = null
  gate.resolve('pass')
  await run.ending()
  return renewedAt
}

/**
 * `withLock` waits for a held lock: quietly, until it is released or its lease ends, and for no longer than `waitMs`.
 */
import type { Redis } from 'ioredis'
import { atMost, both, check, holds, same, serverNow, serverReaches, until, type Learner } from '#checks'
import { givenTime, type Answers } from './clock.ts'
import { acquires, extend, leasesEnd, lockOf, LONG_MS, releases } from './lease.ts'
import { section, timedOut, told, type Section } from './section.ts'

check('waiter-is-quiet', async ({ learner, redis, did }) => {
  did(both('let a call of withLock wait for 2 s and counted its commands',
    'để một lời gọi withLock chờ 2 giây và đếm số lệnh nó gửi'))
  learner.host.deadline(10_000)
  const holder = await lockOf(learner, 'orders', { ttlMs: LONG_MS })
  const waiter = await learner.withRedis()
  const lock = await lockOf(waiter, 'orders')
  // A new wait each time: who gives up too early has a check of its own.
  await givenTime(redis, waiter, Array.from({ length: 6 }, () => 2000), ({ average }) => average <= 20, async (spanMs) => {
    await acquires(holder)
    const run = section(lock)
    const before = waiter.wire.commands().length
    await serverReaches(redis, (await serverNow(redis)) + spanMs, async () => {
      // 25 a second, averaged over two.
      atMost(waiter.wire.commands().length - before, 50,
        both('commands of one waiter within 2 s', 'số lệnh của một bên chờ trong 2 giây'))
    })
    same(run.given() === null, true, both('whether the waiter still waits', 'bên chờ có còn đang chờ'))
    await releases(holder)
    await run.entered()
    run.leave()
    await run.ending()
  })
}, { waits: true })

check('waiters-get-in', async ({ learner, redis, did }) => {
  did(both('let withLock wait for a lock that was released, and for one whose lease ended',
    'để withLock chờ một khóa được trả, và một khóa hết thời hạn'))
  learner.host.deadline(10_000)
  const [released, ended] = [await learner.withRedis(), await learner.withRedis()]
  const first = await lockOf(learner, 'orders', { ttlMs: LONG_MS })
  await acquires(first)
  const waitsForEnd = await waitsForTheEnd(learner, ended, redis)
  const waitsForRelease = section(await lockOf(released, 'orders', { retryMs: 10 }))
  await until(() => released.wire.commands().some((command) => command.reply),
    both('the waiter to ask for the lock', 'bên chờ xin khóa'))
  same(waitsForRelease.given() === null, true, both('whether the waiter still waits', 'bên chờ có còn đang chờ'))
  await releases(first)
  for (const run of [waitsForRelease, waitsForEnd]) {
    await run.entered()
    run.leave()
    await run.ending()
  }
}, { waits: true })

/**
 * A waiter that was refused so early in the lease it waits for that there is time for all it does before it goes to sleep
 * (connect, subscribe, ask again): on a slow machine that takes a longer one. Its pauses grow with the lease: whoever asks
 * a fixed number of times waits for a longer one as it does for a short one.
 */
async function waitsForTheEnd(learner: Learner, waiter: Learner, redis: Redis): Promise<Section> {
  for (let ttlMs = 400; ; ttlMs *= 3) {
    await acquires(await lockOf(learner, 'stock', { ttlMs }))
    const taken = await serverNow(redis)
    const before = waiter.wire.commands().length
    // Where others have waited in vain a third of that is left: the lease, and a second for all else.
    const run = section(await lockOf(waiter, 'stock', { retryMs: ttlMs / 40 }), 3 * ttlMs + 2800)
    await until(() => waiter.wire.commands().slice(before).some((command) => command.reply),
      both('the waiter to ask for the lock', 'bên chờ xin khóa'))
    if ((await serverNow(redis)) < taken + ttlMs / 12 || ttlMs > 3000) return run
    await run.entered()
    run.leave()
    await run.ending()
  }
}

check('with-lock-gives-up', async ({ learner, redis, did }) => {
  did(both('let withLock wait for a lock that nobody released, with a retryMs of 2 ms, of a quarter of waitMs and far beyond it',
    'để withLock chờ một khóa không ai trả, với retryMs 2 ms, bằng một phần tư waitMs và dài hơn waitMs nhiều'))
  learner.host.deadline(10_000)
  const holder = await lockOf(learner, 'orders', { ttlMs: LONG_MS })
  await acquires(holder)
  const givesUp = async (waitMs: number, retryMs: number): Promise<void> => {
    const started = performance.now()
    const run = section(await lockOf(learner, 'orders', { waitMs, retryMs }))
    // Where others have waited in vain a third of that is left, which has to be more than waitMs.
    const ending = await run.ending(3 * waitMs + 1100,
      both(`withLock to settle with waitMs: ${waitMs} and retryMs: ${retryMs}`, `withLock kết thúc với waitMs: ${waitMs} và retryMs: ${retryMs}`))
    const waited = performance.now() - started
    same(run.given() === null, true, both('whether fn was left alone', 'fn không bị chạy'))
    holds(timedOut(ending), both('what withLock does in the end', 'kết cục của withLock'),
      'LockTimeoutError', told(ending))
    // Timers may fire a moment early.
    holds(waited >= waitMs - 2 * retryMs - 5,
      both(`how long it waited with waitMs: ${waitMs} and retryMs: ${retryMs}`,
        `thời gian đã chờ với waitMs: ${waitMs} và retryMs: ${retryMs}`),
      `≥ ${waitMs - 2 * retryMs} ms`, `${Math.round(waited)} ms`)
  }
  const inTime = ({ average, longest }: Answers, waitMs: number): boolean => average <= waitMs / 35 && longest <= waitMs / 5
  await givenTime(redis, learner, [700, 1400, 2800], inTime, async (waitMs) => {
    // Short pauses show who counts tries, longer ones who skips the last of them, and the longest who sleeps for a whole one.
    await Promise.all([givesUp(waitMs, 2), givesUp(waitMs, waitMs / 4), givesUp(waitMs, 60_000)])
  })
  same(await releases(holder), true, both('release by the owner all along', 'release bởi bên giữ khóa từ đầu'))
}, { waits: true })

check('zero-wait-is-one-try', async ({ learner, did }) => {
  did(both('called withLock with waitMs: 0, the lock free, then held',
    'gọi withLock với waitMs: 0 khi khóa rảnh, rồi khi khóa bị giữ'))
  const lock = await lockOf(learner, 'orders', { waitMs: 0, ttlMs: LONG_MS })
  const run = section(lock)
  await run.entered()
  // Whoever tries again does so much later, so that one try and several are told apart on any machine.
  const ending = await section(await lockOf(learner, 'orders', { waitMs: 0, retryMs: 60_000 })).ending(2500)
  same(timedOut(ending), true,
    both('whether withLock throws LockTimeoutError at once while the lock is held',
      'withLock ném LockTimeoutError ngay khi khóa đang bị giữ'))
  run.leave('done')
  same(await run.ending(), { value: 'done' },
    both('what withLock gives when the lock was free', 'kết quả của withLock khi khóa rảnh'))
})

check('calls-on-one-instance-take-turns', async ({ learner, redis, did }) => {
  did(both('called withLock on one instance while another call of it was running',
    'gọi withLock trên một đối tượng khi một lời gọi khác của nó đang chạy'))
  learner.host.deadline(10_000)
  const lock = await lockOf(learner, 'orders', { retryMs: 20 })
  const other = await lockOf(learner, 'orders')
  const first = section(lock)
  await first.entered()
  const second = section(lock)
  for (let i = 0; i < 5; i++) await Promise.all([learner.host.idle(), redis.ping()])
  same(second.given() === null, true,
    both('whether the second call waits while the first runs', 'lời gọi thứ hai có chờ khi lời gọi thứ nhất đang chạy'))
  first.leave('first')
  await second.entered()
  same(await first.ending(), { value: 'first' }, both('what the first call gives', 'kết quả của lời gọi thứ nhất'))
  same(await acquires(other), false,
    both('acquire by somebody else while the second call runs', 'acquire bởi bên khác khi lời gọi thứ hai đang chạy'))
  second.leave('second')
  same(await second.ending(), { value: 'second' }, both('what the second call gives', 'kết quả của lời gọi thứ hai'))
  same(await acquires(other), true,
    both('acquire by somebody else after both', 'acquire bởi bên khác sau cả hai lời gọi'))
})

check('no-leaked-connection', async ({ learner, redis, did }) => {
  did(both('called every method with and without the lock, waited in vain and waited with success, then counted the connections',
    'gọi mọi phương thức khi giữ và khi không giữ khóa, chờ không được và chờ được khóa, rồi đếm số kết nối'))
  const lock = await lockOf(learner, 'orders', { retryMs: 10 })
  await acquires(lock)
  await leasesEnd(redis)
  await extend(lock, 20_000)
  await releases(lock)
  await acquires(lock)
  await extend(lock, 20_000)
  const late = section(await lockOf(learner, 'orders', { waitMs: 30, retryMs: 5 }))
  late.leave()
  await late.ending()
  const run = section(await lockOf(learner, 'orders', { retryMs: 10 }))
  await releases(lock)
  await run.entered()
  run.leave()
  await run.ending()
  await until(() => learner.wire.open() === 1,
    both('the connections made by duplicate() to be closed', 'các kết nối tạo bằng duplicate() được đóng'), 1500)
})

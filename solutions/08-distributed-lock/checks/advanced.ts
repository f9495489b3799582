/**
 * Over processes the lock is held by one at a time; a running owner keeps it, a killed one blocks nobody for long, and
 * one that lost it can be told: by its signal and its token.
 */
import type { Redis } from 'ioredis'
import { both, check, holds, Inconclusive, type Learner, type RedisWire, same, serverNow, serverReaches, until } from '#checks'
import { inGoodTime } from './clock.ts'
import { acquires, extend, leaseKeys, leasesEnd, lockOf, LONG_MS, releases, timeLeft, tokenOf } from './lease.ts'
import { section } from './section.ts'

/** The shortest lease that a machine at work can keep. */
const SHORT_MS = 400

/** Leases whose owner is killed, in milliseconds: the second one where a slow machine had no renewal within the first. */
const KILLED_MS = [SHORT_MS, 2 * SHORT_MS]

/** How often to try to come between two renewals. */
const ROUNDS = 5

check('running-fn-keeps-the-lock', async ({ learner, another, redis, did }) => {
  did(both('let fn run for two and a half leases while another process waited for the lock; elsewhere extended the lease to 600 s and lost the connection at the first renewal; then let fn run with a lease of 30 days',
    'để fn chạy hai lần rưỡi thời hạn giữ khóa trong khi một tiến trình khác chờ khóa; ở một khóa khác, gia hạn đến 600 giây rồi kết nối bị mất ngay lần gia hạn đầu tiên; sau đó để fn chạy với thời hạn 30 ngày'))
  const other = await another()
  for (const process of [learner, other]) process.host.deadline(30_000)
  const keeps = inGoodTime(redis, [learner, other], async (ttlMs, round) => {
    const name = `orders-${round}`
    const lock = await lockOf(learner, name, { ttlMs })
    const run = section(lock)
    const { aborted } = await run.entered()
    // To say how long it lasts does not end the renewing.
    same(await extend(lock, ttlMs), true, both(`extend(${ttlMs}) while fn runs`, `extend(${ttlMs}) khi fn đang chạy`))
    const entered = await serverNow(redis)
    const waiter = section(await lockOf(other, name, { ttlMs, retryMs: 20 }))
    try {
      await serverReaches(redis, entered + 2.5 * ttlMs, async () => {
        const after = Math.round((await serverNow(redis)) - entered)
        holds(waiter.given() === null,
          both(`fn has run for ${after} ms with a lease of ${ttlMs} ms; the other process`,
            `fn đã chạy ${after} ms với thời hạn ${ttlMs} ms; tiến trình kia`),
          both('still waits', 'vẫn đang chờ'), both('has the lock', 'đã lấy được khóa'))
      })
      same(await aborted(), false,
        both('whether the signal of an owner that keeps the lock has aborted',
          'signal của bên vẫn giữ khóa đã bị hủy (abort)'))
    } finally {
      run.leave()
      waiter.leave()
      await waiter.entered()
      await Promise.all([run.ending(), waiter.ending()])
    }
  })
  await Promise.all([keeps, renewsAfterAFailure(await learner.withRedis({ retriesPerRequest: 0 }), redis)])
  // A timer of more than 2^31 ms goes off at once.
  const long = section(await lockOf(learner, 'stock', { ttlMs: 30 * 24 * 3_600_000 }))
  const { aborted } = await long.entered()
  await serverReaches(redis, (await serverNow(redis)) + 50)
  same(await aborted(), false,
    both('whether the signal has aborted 50 ms after fn began, with a lease of 30 days', 'signal đã bị hủy (abort) 50 ms sau khi fn bắt đầu, với thời hạn 30 ngày'))
  long.leave()
  await long.ending()
}, { waits: true })

check('signal-aborts-without-redis', async ({ learner, redis, did }) => {
  did(both('cut Redis off while fn ran: connections refused, and commands never answered',
    'ngắt Redis khi fn đang chạy: từ chối kết nối, và không trả lời lệnh nào'))
  learner.host.deadline(30_000)
  await inGoodTime(redis, [learner], async (ttlMs, round) => {
    const answers = await Promise.all(CUTS.map(({ off }, i) => abortsAfter(off, learner, `orders-${round}-${i}`, ttlMs)))
    for (const [i, aborts] of answers.entries()) {
      const { what } = CUTS[i]!
      holds(aborts, both(`${what.en} for two leases; the signal`, `${what.vi} suốt hai thời hạn giữ khóa; signal`),
        both('has aborted', 'đã bị hủy (abort)'), both('has not', 'chưa bị hủy'))
    }
  })
}, { waits: true })

check('stale-owner-notices', async ({ learner, another, redis, did }) => {
  did(both('stopped the owner\'s process (SIGSTOP) until another owned the lock, then let it go on (SIGCONT); then let the lease of another withLock end with nobody else taking the lock',
    'dừng tiến trình giữ khóa (SIGSTOP) cho đến khi bên khác lấy được khóa, rồi cho chạy tiếp (SIGCONT); sau đó để thời hạn của một withLock khác kết thúc mà không ai lấy khóa'))
  const stale = await another()
  stale.host.deadline(15_000)
  const owner = await lockOf(learner, 'orders', { ttlMs: LONG_MS })
  const run = section(await lockOf(stale, 'orders', { ttlMs: SHORT_MS }))
  const given = await run.entered()
  stale.stop()
  try {
    await until(() => acquires(owner),
      both('the lease of the stopped process to end', 'thời hạn giữ khóa của tiến trình bị dừng kết thúc'))
  } finally {
    stale.cont()
  }
  await until(given.aborted,
    both('the signal of the stale owner to abort', 'signal của bên giữ khóa cũ bị hủy (abort)'), 3000)
  const token = await tokenOf(owner)
  holds(Number(given.token) < token, both('the token of the stale owner', 'token của bên giữ khóa cũ'), `< ${token}`,
    String(given.token))
  run.leave()
  await run.ending()
  same(await releases(owner), true,
    both('release by the new owner after the stale one has finished',
      'release bởi bên giữ khóa mới sau khi bên cũ kết thúc'))
  // Lost is lost, also when the lock is free again by then; between a renewal and the end of its lease lies time enough
  // for a slow machine.
  const lone = section(await lockOf(learner, 'orders', { ttlMs: 3 * SHORT_MS }))
  const alone = await lone.entered()
  await leasesEnd(redis)
  await until(alone.aborted,
    both('the signal to abort after the lease has ended and nobody else took the lock', 'signal bị hủy (abort) sau khi thời hạn kết thúc mà chưa ai lấy khóa'), 3000)
  lone.leave()
  await lone.ending()
}, { waits: true })

check('killed-owner-blocks-nobody', async ({ learner, another, redis, did }) => {
  did(both('killed the owner\'s process (SIGKILL) after a renewal, or when its lease was over if none came, and asked for the lock',
    'dừng đột ngột tiến trình giữ khóa (SIGKILL) sau một lần gia hạn, hoặc khi đã hết thời hạn nếu không có lần nào, rồi xin khóa'))
  const lock = await lockOf(learner, 'orders')
  const keys = await leaseKeys(redis, lock)
  for (const ttlMs of KILLED_MS) {
    const owner = await another()
    const run = section(await lockOf(owner, 'orders', { ttlMs }))
    await run.entered()
    const sent = owner.wire.commands().length
    const end = (await serverNow(redis)) + ttlMs
    // An owner that does not renew has a check of its own.
    const renewed = (): boolean => owner.wire.commands().slice(sent).some((command) => command.reply)
    await until(async () => renewed() || (await serverNow(redis)) > end, both('a renewal', 'một lần gia hạn'))
    await owner.kill()
    for (const ms of await timeLeft(redis, keys)) {
      holds(ms >= 0 && ms <= ttlMs,
        both(`the time left of a lease of ${ttlMs} ms when its owner was killed`,
          `thời gian còn lại của thời hạn ${ttlMs} ms khi bên giữ khóa bị dừng`),
        `≤ ${ttlMs} ms`, ms === -1 ? both('no expiry', 'không có thời hạn') : `${ms} ms`)
    }
    await until(() => acquires(lock),
      both('the lock of the killed process to be free', 'khóa của tiến trình đã chết được trả lại'))
    if (renewed()) break
    await releases(lock)
  }
}, { waits: true })

check('tokens-rise-across-processes', async ({ learner, another, did }) => {
  did(both('took the lock in turn from two processes, one with a clock an hour behind',
    'lần lượt lấy khóa từ hai tiến trình, một tiến trình có đồng hồ chậm một giờ'))
  const behind = await another({ clockShiftMs: -3_600_000 })
  const locks = [await lockOf(learner, 'orders'), await lockOf(behind, 'orders')]
  const tokens: number[] = []
  for (let i = 0; i < 4; i++) {
    const lock = locks[i % 2]!
    same(await acquires(lock), true, both('acquire of a free lock', 'acquire khi khóa rảnh'))
    tokens.push(await tokenOf(lock))
    await releases(lock)
  }
  holds(tokens.every((token, i) => i === 0 || token > tokens[i - 1]!),
    both('tokens, the processes taking turns', 'các token khi hai tiến trình lần lượt lấy khóa'),
    both('each higher than the one before', 'token sau lớn hơn token trước'), tokens.join(', '))
})

check('hundred-sections-one-at-a-time', async ({ learner, another, did }) => {
  did(both('four processes called withLock at once, 25 times', 'bốn tiến trình cùng lúc gọi withLock, 25 lần'))
  const processes = [learner, ...(await Promise.all([another(), another(), another()]))]
  for (const process of processes) process.host.deadline(4000)
  const locks = await Promise.all(processes.map((process) => lockOf(process, 'orders', { retryMs: 5 })))
  let [inside, most, done] = [0, 0, 0]
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside)
    await new Promise((resolve) => setImmediate(resolve))
    inside--
    done++
  }
  for (let round = 0; round < 25; round++) {
    await Promise.all(locks.map((lock) => lock.call('withLock', work)))
    same(most, 1, both('how many were inside at the same time', 'số bên cùng ở trong vùng găng một lúc'))
  }
  same(done, 100, both('critical sections done', 'số lần vào vùng găng'))
})

/** A renewal that fails is not the last one, unless the signal gives the lock up for lost. */
async function renewsAfterAFailure(process: Learner, redis: Redis): Promise<void> {
  // Where extend lengthens nothing there is no time to try again; that it must is another check's business.
  if (!(await lengthens(process, redis))) return
  for (let round = 0; round < ROUNDS; round++) {
    const lock = await lockOf(process, `prices-${round}`, { ttlMs: SHORT_MS })
    const keys = await leaseKeys(redis, lock)
    const run = section(lock)
    const { aborted } = await run.entered()
    // Then there is time to try again.
    await extend(lock, LONG_MS)
    let renewals = 0
    process.wire.gate = () => (renewals++ === 0 ? 'cut' : 'pass')
    try {
      // A lease this long may go without.
      const end = performance.now() + 4 * SHORT_MS
      await until(() => renewals > 0 || performance.now() > end, both('a renewal', 'một lần gia hạn'))
      if (renewals === 0) return
      // One that came just before the gate was closed has taken that time away again.
      if (Math.max(0, ...await timeLeft(redis, keys)) < LONG_MS / 2) continue
      await until(async () => renewals > 1 || (await aborted()),
        both('another renewal after one whose connection was lost', 'lần gia hạn tiếp theo sau một lần bị mất kết nối'))
      return
    } finally {
      process.wire.gate = null
      run.leave()
      await run.ending()
    }
  }
  throw new Inconclusive(both('The machine was too busy for anything to come between two renewals.', 'Máy quá bận nên không chen được gì vào giữa hai lần gia hạn.'))
}

/** Whether extend makes a lease longer than it was. */
async function lengthens(process: Learner, redis: Redis): Promise<boolean> {
  const lock = await lockOf(process, 'prices', { ttlMs: LONG_MS / 4 })
  const keys = await leaseKeys(redis, lock)
  await acquires(lock)
  await extend(lock, LONG_MS)
  const left = Math.max(0, ...await timeLeft(redis, keys))
  await releases(lock)
  return left > LONG_MS / 2
}

/** Ways in which Redis can be out of reach; each gives the way back. */
const CUTS = [
  {
    what: both('Redis refuses connections', 'Redis từ chối kết nối'),
    off(wire: RedisWire): () => void {
      wire.down()
      return () => wire.up()
    },
  },
  {
    what: both('Redis does not answer', 'Redis không trả lời'),
    off(wire: RedisWire): () => void {
      const gate = Promise.withResolvers<'pass'>()
      wire.gate = () => gate.promise
      return () => {
        wire.gate = null
        gate.resolve('pass')
      }
    },
  },
]

/**
 * Whether the signal aborts in time: the lease is lost at the latest one lease after the cut, and the signal tells at
 * the latest one lease after that.
 */
async function abortsAfter(
  off: (wire: RedisWire) => () => void, learner: Learner, name: string, ttlMs: number,
): Promise<boolean> {
  const process = await learner.withRedis({ retriesPerRequest: null })
  const run = section(await lockOf(process, name, { ttlMs }))
  const { aborted } = await run.entered()
  same(await aborted(), false,
    both('whether the signal has aborted as fn starts', 'signal đã bị hủy (abort) ngay khi fn bắt đầu'))
  const on = off(process.wire)
  const late = performance.now() + 2 * ttlMs
  let told = false
  while (!told && performance.now() < late) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    told = await aborted()
  }
  on()
  run.leave()
  await run.ending()
  return told
}

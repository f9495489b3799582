/**
 * The lock holds over processes and crashes: its steps are atomic, no crash blocks it for ever, a running owner keeps
 * it, and an owner that lost it can be told: by its signal, its release and its token. Nothing outlives withLock.
 */
import { both, check, CheckFailed, holds, rejects, same, until, type Instance, type Learner } from '#checks'
import { keepingUp, serverNow, serverReaches } from './clock.ts'
import { acquires, extend, leaseKeys, leasesEnd, lockOf, LONG_MS, releases, timeLeft, tokenOf } from './lease.ts'
import { section } from './section.ts'

/** The shortest lease that a machine at work can keep. */
const SHORT_MS = 400

const OWNERS = [both('the first owner', 'bên giữ khóa đầu'), both('the next owner', 'bên giữ khóa tiếp theo')]

check('running-fn-keeps-the-lock', async ({ learner, another, redis, did }) => {
  did(both('let fn run for two and a half leases while another process waited for the lock',
    'để fn chạy hai lần rưỡi thời hạn giữ khóa trong khi một tiến trình khác chờ khóa'))
  const other = await another()
  for (const process of [learner, other]) process.host.deadline(15_000)
  await keepingUp(redis, [learner, other], async (round) => {
    const name = `orders-${round}`
    const run = section(await lockOf(learner, name, { ttlMs: SHORT_MS }))
    const { aborted } = await run.entered()
    const entered = await serverNow(redis)
    const waiter = section(await lockOf(other, name, { ttlMs: SHORT_MS, retryMs: 20 }))
    try {
      await serverReaches(redis, entered + 2.5 * SHORT_MS, async () => {
        const after = Math.round((await serverNow(redis)) - entered)
        holds(waiter.given() === null, both(`fn has run for ${after} ms with a lease of ${SHORT_MS} ms; the other process`,
          `fn đã chạy ${after} ms với thời hạn ${SHORT_MS} ms; tiến trình kia`), both('still waits', 'vẫn đang chờ'), both('got the lock', 'đã lấy được khóa'))
      })
      same(await aborted(), false, both('whether the signal of an owner that keeps the lock has aborted', 'signal của bên vẫn giữ khóa đã bị hủy (abort)'))
    } finally {
      run.leave()
      waiter.leave()
      await waiter.entered()
      await Promise.all([run.ending(), waiter.ending()])
    }
  })
})

check('signal-aborts-without-redis', async ({ learner, redis, did }) => {
  did(both('cut Redis off while fn ran: connections refused, and commands never answered',
    'ngắt Redis khi fn đang chạy: từ chối kết nối, và không trả lời lệnh nào'))
  learner.host.deadline(15_000)
  await keepingUp(redis, [learner], async (round) => {
    const outcomes = await Promise.allSettled([
      abortsIn(await learner.withRedis({ retriesPerRequest: null }), `down-${round}`, both('Redis refuses connections', 'Redis từ chối kết nối'), (wire) => {
        wire.down()
        return () => wire.up()
      }),
      abortsIn(await learner.withRedis({ retriesPerRequest: null }), `silent-${round}`, both('Redis does not answer', 'Redis không trả lời'), (wire) => {
        const gate = Promise.withResolvers<'pass'>()
        wire.gate = () => gate.promise
        return () => {
          wire.gate = null
          gate.resolve('pass')
        }
      }),
    ])
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  })

  async function abortsIn(process: Learner, name: string, what: ReturnType<typeof both>, cut: (wire: Learner['wire']) => () => void): Promise<void> {
    const run = section(await lockOf(process, name, { ttlMs: SHORT_MS }))
    const { aborted } = await run.entered()
    same(await aborted(), false, both('whether the signal has aborted while the lease is good', 'signal đã bị hủy (abort) khi thời hạn còn hiệu lực'))
    const restore = cut(process.wire)
    // The lease is lost at the latest one lease after the cut, and the signal tells at the latest one lease after that.
    const told = performance.now() + 2 * SHORT_MS
    let has = false
    while (!has && performance.now() < told) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      has = await aborted()
    }
    restore()
    run.leave()
    holds(has, both(`${what.en} for two leases; the signal`, `${what.vi} suốt hai thời hạn giữ khóa; signal`), both('has aborted', 'đã bị hủy (abort)'), both('has not', 'chưa bị hủy'))
    await run.ending()
  }
})

check('stale-owner-notices', async ({ learner, another, redis, did }) => {
  did(both('stopped the owner\'s process (SIGSTOP) until another owned the lock, then let it go on (SIGCONT)',
    'dừng tiến trình giữ khóa (SIGSTOP) cho đến khi bên khác lấy được khóa, rồi cho chạy tiếp (SIGCONT)'))
  const stale = await another()
  stale.host.deadline(15_000)
  const owner = await lockOf(learner, 'orders', { ttlMs: LONG_MS })
  const run = section(await lockOf(stale, 'orders', { ttlMs: SHORT_MS }))
  const given = await run.entered()
  stale.stop()
  try {
    await until(() => acquires(owner), both('the lease of the stopped process to end', 'thời hạn giữ khóa của tiến trình bị dừng kết thúc'))
  } finally {
    stale.cont()
  }
  await until(given.aborted, both('the signal of the stale owner to abort', 'signal của bên giữ khóa cũ bị hủy (abort)'), 3000)
  const token = await tokenOf(owner)
  holds(Number(given.token) < token, both('the token of the stale owner', 'token của bên giữ khóa cũ'), `< ${token}`, String(given.token))
  run.leave()
  await run.ending()
  same(await releases(owner), true, both('release by the new owner after the stale one has finished', 'release bởi bên giữ khóa mới sau khi bên cũ kết thúc'))
})

check('killed-owner-blocks-nobody', async ({ learner, another, redis, did }) => {
  did(both('killed the owner\'s process (SIGKILL) after a renewal and asked for the lock', 'dừng đột ngột tiến trình giữ khóa (SIGKILL) sau một lần gia hạn rồi xin khóa'))
  const owner = await another()
  const lock = await lockOf(learner, 'orders')
  const keys = await leaseKeys(redis, lock)
  const run = section(await lockOf(owner, 'orders', { ttlMs: SHORT_MS }))
  await run.entered()
  const sent = owner.wire.commands().length
  const end = (await serverNow(redis)) + SHORT_MS
  // An owner that does not renew has a check of its own.
  await until(async () => owner.wire.commands().slice(sent).some((command) => command.reply) || (await serverNow(redis)) > end,
    both('a renewal', 'một lần gia hạn'))
  await owner.kill()
  for (const ms of await timeLeft(redis, keys)) {
    holds(ms >= 0 && ms <= SHORT_MS, both(`the time left of a lease of ${SHORT_MS} ms after a renewal`, `thời gian còn lại của thời hạn ${SHORT_MS} ms sau khi gia hạn`),
      `≤ ${SHORT_MS} ms`, ms === -1 ? both('no expiry', 'không có thời hạn') : `${ms} ms`)
  }
  await until(() => acquires(lock), both('the lock of the killed process to be free', 'khóa của tiến trình đã chết được trả lại'))
})

check('acquire-is-atomic', async ({ schedules, did }) => {
  did(both('two processes ask for a free lock, in every order of their commands', 'hai tiến trình cùng xin một khóa rảnh, theo mọi thứ tự lệnh có thể'))
  await schedules.explore({
    open: (caller) => lockOf(caller, 'orders', { ttlMs: LONG_MS }),
    callers: [(_, lock) => acquires(lock), (_, lock) => acquires(lock)],
    limit: 100,
    holds: (results) => {
      if (results.filter((result) => result === true).length <= 1) return
      throw new CheckFailed(both('Two processes both got the lock.', 'Hai tiến trình đều lấy được khóa.'), { expected: '1', got: '2' })
    },
  })
})

check('release-is-atomic', async ({ learner, schedules, redis, did }) => {
  did(both('an owner releases while its lease ends and another takes the lock, in every order of the commands',
    'bên giữ khóa gọi release đúng lúc thời hạn kết thúc và bên khác lấy khóa, theo mọi thứ tự lệnh có thể'))
  const keys = await leaseKeys(redis, await lockOf(learner, 'orders'))
  const locks: Promise<Instance>[] = []
  await schedules.explore({
    open: (caller) => (locks[locks.length] = lockOf(caller, 'orders', { ttlMs: LONG_MS })),
    setup: async () => { await acquires(await locks[0]!) },
    callers: [
      (_, lock) => releases(lock),
      (caller, lock) => afterTheLease(caller, () => leasesEnd(redis, keys), () => acquires(lock)),
    ],
    names: OWNERS,
    limit: 60,
    holds: async ([, taken]) => {
      if (taken !== true || (await releases(await locks[1]!))) return
      throw new CheckFailed(both(
        'The first owner freed the lock of the next one: its lease had ended in the meantime.',
        'Bên giữ khóa đầu đã trả mất khóa của bên tiếp theo: thời hạn của nó đã kết thúc từ trước đó.'))
    },
  })
})

check('extend-is-atomic', async ({ learner, schedules, redis, did }) => {
  did(both('an owner extends while its lease ends and another takes the lock, in every order of the commands',
    'bên giữ khóa gọi extend đúng lúc thời hạn kết thúc và bên khác lấy khóa, theo mọi thứ tự lệnh có thể'))
  const keys = await leaseKeys(redis, await lockOf(learner, 'orders'))
  const locks: Promise<Instance>[] = []
  await schedules.explore({
    open: (caller) => (locks[locks.length] = lockOf(caller, 'orders', { ttlMs: LONG_MS })),
    setup: async () => { await acquires(await locks[0]!) },
    callers: [
      (_, lock) => extend(lock, 5000),
      (caller, lock) => afterTheLease(caller, () => leasesEnd(redis, keys), () => acquires(lock)),
    ],
    names: OWNERS,
    limit: 60,
    holds: async ([, taken]) => {
      const left = Math.min(...await timeLeft(redis, keys))
      if (taken !== true || left > 5000) return
      throw new CheckFailed(both(
        'The first owner changed the lease of the next one: its own had ended in the meantime.',
        'Bên giữ khóa đầu đã thay đổi thời hạn của bên tiếp theo: thời hạn của nó đã kết thúc từ trước đó.'),
      { expected: `${LONG_MS} ms`, got: `${left} ms` })
    },
  })
})

check('tokens-follow-ownership', async ({ learner, schedules, redis, did }) => {
  did(both('two processes take the lock one after the other, the first lease ending in between, in every order of the commands',
    'hai tiến trình lần lượt lấy khóa, thời hạn đầu kết thúc ở giữa, theo mọi thứ tự lệnh có thể'))
  const keys = await leaseKeys(redis, await lockOf(learner, 'orders'))
  const token = async (lock: Instance): Promise<number | null> => ((await acquires(lock)) ? tokenOf(lock) : null)
  let endedAs = 0
  await schedules.explore({
    open: (caller) => lockOf(caller, 'orders', { ttlMs: LONG_MS }),
    setup: async () => { endedAs = 0 },
    callers: [
      (_, lock) => token(lock),
      (caller, lock) => afterTheLease(caller, async () => { endedAs = await leasesEnd(redis, keys) }, async () => {
        const own = await token(lock)
        await releases(lock)
        return own
      }),
    ],
    limit: 60,
    holds: ([a, b]) => {
      if (typeof a !== 'number' || typeof b !== 'number') return
      // A had the lock before B if there was a lease to end; otherwise A got it when B had released it.
      const [first, second] = endedAs > 0 ? [a, b] : [b, a]
      if (first < second) return
      throw new CheckFailed(
        both('An owner got a token that is not higher than that of the owner before it.', 'Bên giữ khóa sau nhận token không lớn hơn token của bên trước.'),
        { expected: `> ${first}`, got: String(second) })
    },
  })
})

check('crash-blocks-nobody', async ({ learner, cuts, redis, did }) => {
  did(both('cut the connection after each command of acquire, let the time pass and asked for the lock',
    'cắt kết nối sau từng lệnh của acquire, để thời gian trôi qua rồi xin khóa'))
  const other = await lockOf(learner, 'orders')
  await cuts.explore({
    open: (caller) => lockOf(caller, 'orders', { ttlMs: LONG_MS }),
    call: (_, lock: Instance) => lock.call('acquire'),
    audit: async () => {
      await leasesEnd(redis)
      holds(await acquires(other), both('the lock after a crash in acquire, its lease long over', 'khóa sau khi sập giữa acquire, đã quá thời hạn từ lâu'),
        both('free', 'rảnh'), both('still held: nobody gets it ever again', 'vẫn bị giữ: không ai lấy được nữa'))
    },
  })
})

check('tokens-rise-across-processes', async ({ learner, another, did }) => {
  did(both('took the lock in turn from two processes, one with a clock an hour behind', 'lần lượt lấy khóa từ hai tiến trình, một tiến trình có đồng hồ chậm một giờ'))
  const behind = await another({ clockShiftMs: -3_600_000 })
  const locks = [await lockOf(learner, 'orders'), await lockOf(behind, 'orders')]
  const tokens: number[] = []
  for (let i = 0; i < 4; i++) {
    const lock = locks[i % 2]!
    same(await acquires(lock), true, both('acquire of a free lock', 'acquire khi khóa rảnh'))
    tokens.push(await tokenOf(lock))
    await releases(lock)
  }
  holds(tokens.every((token, i) => i === 0 || token > tokens[i - 1]!), both('tokens, the processes taking turns', 'các token khi hai tiến trình lần lượt lấy khóa'),
    both('each higher than the one before', 'token sau lớn hơn token trước'), tokens.join(', '))
})

check('nothing-outlives-with-lock', async ({ learner, did }) => {
  did(both('let fn return, throw, time out and return while a renewal was on its way, then counted timers',
    'để fn trả về, ném lỗi, hết thời gian chờ, và trả về khi một lần gia hạn đang diễn ra, rồi đếm timer'))
  learner.host.deadline(10_000)
  const lock = await lockOf(learner, 'orders', { ttlMs: LONG_MS })
  const [returns, throws] = [section(lock), section(await lockOf(learner, 'stock', { ttlMs: LONG_MS }))]
  await Promise.all([returns.entered(), throws.entered()])
  const late = section(await lockOf(learner, 'orders', { waitMs: 40, retryMs: 10 }))
  late.leave()
  await late.ending()
  returns.leave()
  throws.fail(new Error('out of stock'))
  await Promise.all([returns.ending(), throws.ending()])
  await endsDuringARenewal(await learner.withRedis())
  // Closing the clients is part of looking: what is left then keeps a process alive.
  await until(async () => {
    const { timers, resources } = await learner.host.reset()
    return timers === 0 && !resources.includes('Timeout')
  }, both('the timers of withLock to be cleared', 'các timer của withLock được xóa'), 1500)
})

check('result-survives-a-failed-release', async ({ learner, did }) => {
  did(both('cut Redis off while fn ran, then let fn return, and throw', 'ngắt Redis khi fn đang chạy, rồi để fn trả về, và để fn ném lỗi'))
  const error = new Error('out of stock')
  for (const end of ['return', 'throw'] as const) {
    const process = await learner.withRedis({ reconnects: false, retriesPerRequest: 0 })
    const run = section(await lockOf(process, end, { ttlMs: LONG_MS }))
    await run.entered()
    process.wire.down()
    if (end === 'return') run.leave('done')
    else run.fail(error)
    const ending = await run.ending()
    const told = both(`what withLock does when fn ${end}s and the release fails`, `withLock khi fn ${end === 'return' ? 'trả về' : 'ném lỗi'} và release thất bại`)
    if (end === 'return') same('value' in ending ? ending.value : ending.error, 'done', told)
    else holds('error' in ending && ending.error.original === error, told, both('it rejects with fn\'s own error', 'bị từ chối (reject) với đúng lỗi của fn'),
      'error' in ending ? ending.error.message.slice(0, 200) : both('it resolved', 'lời gọi thành công'))
  }
})

check('result-survives-a-lost-lease', async ({ learner, redis, did }) => {
  did(both('cut Redis off until the lease had ended, then let fn return', 'ngắt Redis cho đến khi thời hạn giữ khóa kết thúc, rồi để fn trả về'))
  learner.host.deadline(10_000)
  const process = await learner.withRedis({ retriesPerRequest: 0 })
  const run = section(await lockOf(process, 'orders', { ttlMs: SHORT_MS }))
  const { aborted } = await run.entered()
  process.wire.down()
  const end = (await serverNow(redis)) + 2 * SHORT_MS
  await until(async () => (await aborted()) || (await serverNow(redis)) > end, both('the signal to abort', 'signal bị hủy (abort)'))
  process.wire.up()
  await until(() => process.wire.open() > 0, both('the client to connect again', 'client kết nối lại'))
  run.leave('done')
  const ending = await run.ending()
  same('value' in ending ? ending.value : ending.error, 'done', both('what withLock gives after the lease was lost', 'kết quả của withLock sau khi mất khóa'))
})

check('redis-failure-rejects', async ({ learner, did }) => {
  did(both('called every method with Redis out of reach', 'gọi mọi phương thức khi không kết nối được Redis'))
  const offline = await learner.withRedis({ reconnects: false, retriesPerRequest: 0 })
  const held = await lockOf(offline, 'orders')
  const free = await lockOf(offline, 'stock', { waitMs: 200, retryMs: 10 })
  same(await acquires(held), true, both('acquire while Redis works', 'acquire khi Redis còn hoạt động'))
  same(await extend(held, 5000), true, both('extend while Redis works', 'extend khi Redis còn hoạt động'))
  offline.wire.down()
  await rejects(() => free.call('acquire'), both('acquire while Redis is out of reach', 'acquire khi không kết nối được Redis'))
  await rejects(() => held.call('extend', 5000), both('extend while Redis is out of reach', 'extend khi không kết nối được Redis'))
  await rejects(() => held.call('release'), both('release while Redis is out of reach', 'release khi không kết nối được Redis'))
  const run = section(free)
  run.leave()
  const ending = await run.ending()
  same(run.given() === null, true, both('whether fn was left alone', 'fn không bị chạy'))
  holds('error' in ending && !ending.error.facts.classes.includes('LockTimeoutError'), both('withLock while Redis is out of reach', 'withLock khi không kết nối được Redis'),
    both('the error of Redis', 'lỗi của Redis'), 'error' in ending ? ending.error.message.slice(0, 200) : both('it resolved', 'lời gọi thành công'))
})

check('survives-an-emptied-script-cache', async ({ learner, redis, did }) => {
  did(both('emptied the script cache between the calls', 'xóa script cache giữa các lời gọi'))
  const lock = await lockOf(learner, 'orders')
  for (let round = 0; round < 2; round++) {
    for (const [method, ...args] of [['acquire'], ['extend', 5000], ['release']] as const) {
      await redis.script('FLUSH')
      same(Boolean(await lock.call(method, ...args)), true, both(`${method} after SCRIPT FLUSH`, `${method} sau SCRIPT FLUSH`))
    }
  }
  const run = section(lock)
  await run.entered()
  await redis.script('FLUSH')
  run.leave()
  await run.ending()
  same(await acquires(lock), true, both('acquire after withLock, the cache emptied while fn ran', 'acquire sau withLock, cache bị xóa khi fn đang chạy'))
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

/** The lease ends at the very moment at which the first command of `call` reaches Redis. */
async function afterTheLease<T>(caller: Learner, end: () => Promise<unknown>, call: () => Promise<T>): Promise<T> {
  const { wire } = caller
  const schedule = wire.gate!
  let ended = false
  wire.gate = async (command) => {
    const verdict = await schedule(command)
    if (!ended) {
      ended = true
      await end()
    }
    return verdict
  }
  return call()
}

/** fn returns while the reply to a renewal is still out: whoever arms the next renewal then must see that it is over. */
async function endsDuringARenewal(process: Learner): Promise<void> {
  const run = section(await lockOf(process, 'renewed', { ttlMs: SHORT_MS }))
  await run.entered()
  const gate = Promise.withResolvers<'pass'>()
  let renewing = false
  process.wire.gate = () => {
    renewing = true
    return gate.promise
  }
  // Whoever does not renew has a check of its own.
  const end = performance.now() + 2 * SHORT_MS
  await until(() => renewing || performance.now() > end, both('a renewal', 'một lần gia hạn'))
  run.leave()
  await process.host.idle()
  process.wire.gate = null
  gate.resolve('pass')
  await run.ending()
}

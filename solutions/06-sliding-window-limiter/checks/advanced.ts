/**
 * The limit holds over processes, clocks and crashes, and costs the same whatever the user has done before.
 */
import {
  atMost, both, check, CheckFailed, holds, type Instance, type Learner, nextMoment, rejects, same, serverNow, serverReaches, settled, shown, until,
} from '#checks'
import { inOneWindow, LONG_MS, phaseBetween } from './clock.ts'
import { attempt, judge, PROMPT_MS, quickFirst, timely, wider, type Attempt } from './history.ts'
import { METHODS, QUESTIONS } from './methods.ts'

const TEN = { maxRequests: 10, windowMs: LONG_MS }

check('admission-is-atomic', async ({ schedules, did }) => {
  did(both('let two processes call at once with a limit of 1, in every order of their commands',
    'cho hai tiến trình cùng gọi với hạn mức 1, theo mọi thứ tự lệnh có thể'))
  await schedules.explore({
    open: (caller) => caller.make('RateLimiter', caller.redis, { maxRequests: 1, windowMs: LONG_MS }),
    callers: [(_, limiter) => limiter.call('isAllowed', 'ann'), (_, limiter) => limiter.call('isAllowed', 'ann')],
    holds: (results) => {
      const admitted = results.filter((result) => result === true).length
      if (admitted === 1) return
      throw new CheckFailed(admitted > 1
        ? both('Two calls at once were both admitted with a limit of 1: one too many.', 'Hai lời gọi cùng lúc đều được nhận với hạn mức 1: thừa một lượt.')
        : both('Of two calls at once none was admitted with a limit of 1.', 'Trong hai lời gọi cùng lúc không lời gọi nào được nhận với hạn mức 1.'),
      { expected: '1', got: String(admitted) })
    },
  })
})

check('processes-share-the-limit', async ({ learner, another, redis, did }) => {
  did(both('let four processes take turns, six calls each, with a limit of 10, and two of them call at the same moments', 'cho bốn tiến trình thay phiên nhau gọi, mỗi bên sáu lần, hạn mức 10, rồi cho hai trong số đó gọi cùng thời điểm'))
  // Whoever goes by the clients' clocks has a check of its own: here, two of them never show one time.
  const processes = [learner, ...(await Promise.all([another({ clockShiftMs: 5000 }), another(), another()]))]
  const limiters = await Promise.all(processes.map((process) => process.make('RateLimiter', process.redis, TEN)))
  let admitted = 0
  for (let i = 0; i < 24; i++) {
    if ((await limiters[i % 4]!.call('isAllowed', 'ann')) === true) admitted++
    await nextMoment(redis)
  }
  same(admitted, 10, both('admissions among 24 calls of four processes', 'số lời gọi được nhận trong 24 lời gọi của bốn tiến trình'))
  for (const limiter of limiters) same(await limiter.call('getRemainingRequests', 'ann'), 0, both('what remains, asked in each process', 'số lượt còn lại khi hỏi từ từng tiến trình'))
  await redis.flushdb()
  const pair = [processes[0]!, processes[1]!]
  const alike = await Promise.all(pair.map((process) => process.make('RateLimiter', process.redis, { maxRequests: 20, windowMs: LONG_MS })))
  for (let i = 0; i < 10; i++) await atOneMoment(pair, (_, n) => alike[n]!.call('isAllowed', 'bob'))
  same(await alike[0]!.call('isAllowed', 'bob'), false, both(
    'the 21st call with a limit of 20, after two processes have made ten each, always at the same moment',
    'lời gọi thứ 21 với hạn mức 20, sau khi hai tiến trình đã gọi mỗi bên mười lần, luôn cùng một thời điểm'))
})

/** All of them call, and their commands go to the server together: in one millisecond of its clock, unless the machine is slow. */
async function atOneMoment(callers: readonly Learner[], call: (caller: Learner, i: number) => Promise<unknown>): Promise<void> {
  const arrived = callers.map(() => Promise.withResolvers<void>())
  const all = Promise.all(arrived.map(({ promise }) => promise))
  for (const [i, { wire }] of callers.entries()) {
    wire.gate = async (): Promise<'pass'> => {
      arrived[i]!.resolve()
      await all
      return 'pass'
    }
  }
  await Promise.all(callers.map(call))
  for (const { wire } of callers) wire.gate = null
}

check('client-clocks-do-not-matter', async ({ learner, another, redis, did }) => {
  did(both('used up the limit, then called from processes whose clocks are more than a window ahead and behind, used up limits there and called from the first process, and called again when these clocks had been set ahead',
    'dùng hết hạn mức rồi gọi từ các tiến trình có đồng hồ chạy nhanh và chậm hơn một cửa sổ, dùng hết hạn mức ở đó rồi gọi từ tiến trình đầu, và gọi lại sau khi các đồng hồ đó được chỉnh nhanh thêm'))
  const shifted = await Promise.all([another({ clockShiftMs: LONG_MS + 1000 }), another({ clockShiftMs: -LONG_MS - 1000 })])
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 2, windowMs: LONG_MS })
  await limiter.call('isAllowed', 'ann')
  await nextMoment(redis)
  await limiter.call('isAllowed', 'ann')
  const names = [both('a clock one window ahead', 'đồng hồ nhanh một cửa sổ'), both('a clock one window behind', 'đồng hồ chậm một cửa sổ')]
  for (const [i, process] of shifted.entries()) {
    const there = await process.make('RateLimiter', process.redis, { maxRequests: 2, windowMs: LONG_MS })
    same(await there.call('isAllowed', 'ann'), false, both(`a call over the limit from ${names[i]!.en}`, `lời gọi vượt hạn mức từ ${names[i]!.vi}`))
    same(await there.call('getRemainingRequests', 'ann'), 0, both(`what remains, asked with ${names[i]!.en}`, `số lượt còn lại, hỏi với ${names[i]!.vi}`))
    const reset = await there.call('getResetTime', 'ann')
    holds(Math.abs(Number(reset) - LONG_MS / 1000) <= 60, both(`the reset time just after the limit was used up, asked with ${names[i]!.en}`, `thời gian chờ ngay sau khi dùng hết hạn mức, hỏi với ${names[i]!.vi}`),
      both(`about ${LONG_MS / 1000} s`, `khoảng ${LONG_MS / 1000} s`), `${String(reset)} s`)
    await there.call('isAllowed', `user-${i}`)
    await nextMoment(redis)
    await there.call('isAllowed', `user-${i}`)
    same(await limiter.call('isAllowed', `user-${i}`), false, both(`a call over a limit used up with ${names[i]!.en}`, `lời gọi vượt hạn mức đã dùng hết với ${names[i]!.vi}`))
    // A clock may also be set between two calls. The Date of these processes was lent to them for this check only.
    const setAhead = await process.host.plant((ms: number) => {
      const { now } = Date
      Date.now = () => now() + ms
    })
    await setAhead(LONG_MS + 1000)
    same(await there.call('isAllowed', 'ann'), false, both(`a call over the limit from ${names[i]!.en}, set one window ahead since the last call`, `lời gọi vượt hạn mức từ ${names[i]!.vi}, được chỉnh nhanh thêm một cửa sổ sau lời gọi trước`))
  }
})

check('crash-leaves-an-expiry', async ({ cuts, redis, did }) => {
  did(both('cut the connection after each command of a first call', 'cắt kết nối sau từng lệnh của lời gọi đầu tiên'))
  await cuts.explore({
    open: (caller) => caller.make('RateLimiter', caller.redis, TEN),
    call: (_, limiter: Instance) => limiter.call('isAllowed', 'ann'),
    audit: async () => {
      for (const key of (await redis.keys('*')).toSorted()) {
        holds((await redis.pttl(key)) > 0, both(`after the crash, the expiry of ${key.slice(0, 40)}`, `sau khi sập, thời hạn của ${key.slice(0, 40)}`),
          both('an expiry', 'có thời hạn'), both('none: the key stays for ever', 'không có: key tồn tại mãi mãi'))
      }
    },
  })
})

check('crash-in-a-rejection-consumes-nothing', async ({ learner, redis, did }) => {
  did(both('used up a limit of 1, cut off rejected calls at every command, and called when the window had passed',
    'dùng hết hạn mức 1, cắt các lời gọi bị từ chối ở từng lệnh, rồi gọi lại khi hết cửa sổ'))
  const full = await learner.make('RateLimiter', learner.redis, { maxRequests: 1, windowMs: LONG_MS })
  await full.call('isAllowed', 'warm-up')
  const frames = await framesOfARejection(learner, full)
  // Every cut needs a process and a moment of the same window.
  atMost(frames - 1, 20, both('commands of one rejection', 'số lệnh của một lần từ chối'))
  await timely(redis, async (round) => {
    const windowMs = wider(300, round)
    const options = { maxRequests: 1, windowMs }
    const limiter = await learner.make('RateLimiter', learner.redis, options)
    const cuts = Array.from({ length: frames }, (_, k) => k)
    const processes = await Promise.all(cuts.map(() => learner.withRedis({ reconnects: false, retriesPerRequest: 0 })))
    const limiters = await Promise.all(processes.map((process) => process.make('RateLimiter', process.redis, options)))
    const users: string[] = []
    const history: Attempt[][] = []
    // Early in a window of the clock: the rejected calls fall into the same one.
    await phaseBetween(redis, windowMs, 0, 0.4)
    for (const k of cuts) {
      const name = `user-${round}-${k}`
      // The last of them calls first when the window has passed: its moment has to be known well.
      const { user, first } = k === cuts.at(-1) ? await quickFirst(redis, limiter, name) : { user: name, first: await attempt(redis, limiter, name) }
      users.push(user)
      history.push([first])
    }
    const [first, last] = [history[0]![0]!.before, history.at(-1)![0]!]
    await serverReaches(redis, last.after + 0.3 * windowMs)
    for (const k of cuts) {
      let sent = 0
      const { wire } = processes[k]!
      wire.gate = async () => {
        if (sent++ < k) return 'pass'
        await until(() => wire.commands().slice(0, k).every((command) => command.reply !== null), both('replies before the cut', 'phản hồi trước điểm cắt'))
        wire.down()
        return 'cut'
      }
      await settled(limiters[k]!.call('isAllowed', users[k]))
      await wire.close()
    }
    // Too late, and the last of these calls were no rejections any more.
    if (!inOneWindow(windowMs, first, await serverNow(redis))) return 'too slow'
    await serverReaches(redis, last.after + windowMs + 3)
    for (const k of cuts.toReversed()) history[k]!.push(await attempt(redis, limiter, users[k]!))
    // The first of these calls is prompt; whatever a rejected call has left behind leaves the window 0.3 of it later.
    const [prompt, ...others] = history.toReversed().map((calls) => calls[1]!)
    if (prompt!.after > last.before + windowMs + PROMPT_MS) return 'too slow'
    if (others.some(({ after }) => after > last.before + 1.25 * windowMs)) return 'too slow'
    for (const calls of history) judge(calls, 1, windowMs)
    return 'done'
  })
}, { waits: true })

check('redis-failure-rejects', async ({ learner, did }) => {
  did(both('called every method with Redis out of reach', 'gọi mọi phương thức khi không kết nối được Redis'))
  const offline = await learner.withRedis({ reconnects: false, retriesPerRequest: 0 })
  const limiter = await offline.make('RateLimiter', offline.redis, { maxRequests: 2, windowMs: LONG_MS })
  same(await limiter.call('isAllowed', 'ann'), true, both('a call while Redis works', 'lời gọi khi Redis còn hoạt động'))
  offline.wire.down()
  for (const method of METHODS) {
    await rejects(() => limiter.call(method, 'ann'), both(`${method} while Redis is out of reach`, `${method} khi không kết nối được Redis`))
  }
})

check('survives-an-emptied-script-cache', async ({ learner, redis, did }) => {
  did(both('called every method, and again after emptying the script cache', 'gọi mọi phương thức, rồi gọi lại sau khi xóa script cache'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 2, windowMs: LONG_MS })
  for (const question of QUESTIONS) await limiter.call(question, 'bob')
  const answers: unknown[] = []
  for (let i = 0; i < 3; i++) {
    answers.push(await limiter.call('isAllowed', 'ann'))
    await redis.script('FLUSH')
    await nextMoment(redis)
  }
  same(answers, [true, true, false], both('the answers of three calls with a limit of 2', 'kết quả của ba lời gọi với hạn mức 2'))
  same(await limiter.call('getRemainingRequests', 'ann'), 0, both('what remains', 'số lượt còn lại'))
  await redis.script('FLUSH')
  const reset = await limiter.call('getResetTime', 'ann')
  holds(Number(reset) > 0, both('the reset time', 'thời gian chờ'), '> 0', shown(reset))
})

check('work-does-not-grow-with-history', async ({ learner, redis, did }) => {
  did(both('compared the commands the server ran for a call with 1 and with 1000 admissions behind it',
    'so số lệnh server thực hiện cho một lời gọi khi đã có 1 và 1000 lượt nhận'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 5000, windowMs: LONG_MS })
  const work = async (user: string): Promise<number> => {
    const before = await commandCalls(redis)
    await limiter.call('isAllowed', user)
    return (await commandCalls(redis)) - before
  }
  await limiter.call('isAllowed', 'ann')
  const few = await work('ann')
  const sent = learner.wire.commands().length
  await callOften(learner, limiter, 'ann', 1000)
  // Other processes must know of these admissions: that they were made is seen on the way to Redis, not believed.
  const arrived = learner.wire.commands().length - sent
  holds(arrived >= 40, both('commands of 1000 admissions', 'số lệnh của 1000 lượt nhận'), '≥ 40', String(arrived))
  const many = await work('ann')
  atMost(many, few, both('commands for one call after 1000 admissions', 'số lệnh cho một lời gọi sau 1000 lượt nhận'))
})

check('rejections-cost-no-more', async ({ learner, redis, did }) => {
  did(both('compared the commands for a rejection with those for an admission, and what is stored after 1 rejection and after 1000',
    'so số lệnh của một lần từ chối với số lệnh của một lượt nhận, và dữ liệu lưu lại sau 1 và sau 1000 lần từ chối'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 5, windowMs: LONG_MS })
  const work = async (): Promise<number> => {
    const before = await commandCalls(redis)
    await limiter.call('isAllowed', 'ann')
    return (await commandCalls(redis)) - before
  }
  await limiter.call('isAllowed', 'ann')
  await nextMoment(redis)
  const admission = await work()
  for (let i = 0; i < 3; i++) {
    await nextMoment(redis)
    await limiter.call('isAllowed', 'ann')
  }
  same(await limiter.call('isAllowed', 'ann'), false, both('a sixth call with a limit of 5', 'lời gọi thứ sáu với hạn mức 5'))
  const stored = await bytesStored(redis)
  await callOften(learner, limiter, 'ann', 1000)
  atMost(await work(), admission, both('commands for a rejection, compared with an admission', 'số lệnh cho một lần từ chối so với một lượt nhận'))
  atMost(await bytesStored(redis), Math.floor(stored * 1.5) + 256, both('bytes stored after 1000 rejections', 'số byte được lưu sau 1000 lần từ chối'))
})

async function framesOfARejection(learner: { wire: { forget(): void; commands(): unknown[] } }, limiter: Instance): Promise<number> {
  learner.wire.forget()
  await limiter.call('isAllowed', 'warm-up')
  return learner.wire.commands().length + 1
}

/** Calls made over there, 25 at once: what they answer is of no interest here, and nobody carries it. */
async function callOften(learner: Learner, limiter: Instance, user: string, times: number): Promise<void> {
  const some = await learner.host.plant(async (own: { isAllowed(user: string): Promise<unknown> }, of: string) => {
    // Nothing the submission could have replaced decides how many calls there are.
    const calls = []
    for (let i = 0; i < 25; i++) calls[i] = own.isAllowed(of)
    await Promise.all(calls)
  })
  for (let done = 0; done < times; done += 25) await some(limiter, user)
}

/** Commands the server has run so far, those inside scripts included; INFO and TIME, which the grader sends as well, do not count. */
async function commandCalls(redis: { info(section: string): Promise<string> }): Promise<number> {
  const stats = await redis.info('commandstats')
  return [...stats.matchAll(/^cmdstat_(?!info|time)[^:]+:calls=(\d+)/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0)
}

async function bytesStored(redis: { keys(pattern: string): Promise<string[]>; memory(sub: 'USAGE', key: string): Promise<number | null> }): Promise<number> {
  const keys = await redis.keys('*')
  const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key)))
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
}

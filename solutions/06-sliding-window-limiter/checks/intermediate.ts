/**
 * The window slides: in any interval of windowMs at most maxRequests are admitted, on one connection under load,
 * and rejected calls or questions change nothing. Bad input is refused before anything is sent.
 */
import type { Redis } from 'ioredis'
import { atMost, both, check, escaped, holds, type Instance, type Learner, nextMoment, refuses, same, serverNow, serverReaches, storm, type Text, until } from '#checks'
import { emptyBetween, inOneWindow, LONG_MS, phaseBetween } from './clock.ts'
import { attempt, judge, PROMPT_MS, quickFirst, timely, wider, type Attempt } from './history.ts'
import { METHODS } from './methods.ts'

// First, because it waits longest.
check('reset-time-is-exact', async ({ learner, redis, did }) => {
  did(both('used up limits with windows between 0.3 and 2 s, one of them in two steps, and asked for the reset time at once',
    'dùng hết hạn mức với các cửa sổ từ 0,3 đến 2 giây, một trong số đó theo hai bước, rồi hỏi ngay thời gian chờ'))
  // Who has one limit for all users has a check of its own: each try finds nothing of those before.
  await timely(redis, async (i) => {
    await redis.flushdb()
    // The first admission leaves in less than a second, the second one does not.
    const windowMs = 1000 + PROMPT_MS
    const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 2, windowMs })
    const user = `user-${i}`
    const first = await attempt(redis, limiter, user)
    await serverReaches(redis, first.after + 100)
    const second = await attempt(redis, limiter, user)
    const reset = await limiter.call('getResetTime', user)
    const after = await serverNow(redis)
    if (after > second.before + PROMPT_MS || !inOneWindow(windowMs, first.before, after)) return 'too slow'
    same(reset, 1, both(`the reset time, in seconds, of a window of ${windowMs} ms, 100 ms after the first of two admissions and just after the second`,
      `thời gian chờ, tính bằng giây, của cửa sổ ${windowMs} ms, hỏi 100 ms sau lượt nhận thứ nhất và ngay sau lượt nhận thứ hai`))
    return 'done'
  })
  for (const windowMs of [1900, 1250, 1500, 1750, 300]) {
    const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 1, windowMs })
    await timely(redis, async (i) => {
      await redis.flushdb()
      // Rounding mistakes come and go with the phase of the second: away from its ends they all show.
      await phaseBetween(redis, 1000, 0.2, 0.6)
      const user = `user-${windowMs}-${i}`
      const admission = await attempt(redis, limiter, user)
      const before = await serverNow(redis)
      const reset = await limiter.call('getResetTime', user)
      const after = await serverNow(redis)
      // Nor may a multiple of the window lie in between: what goes wrong there has a check of its own.
      if (after > admission.before + PROMPT_MS || !inOneWindow(windowMs, admission.before, after)) return 'too slow'
      const least = Math.ceil((admission.before + windowMs - after - 2) / 1000)
      const most = Math.ceil((admission.after + windowMs - before + 2) / 1000)
      holds(Number.isInteger(reset) && (reset as number) >= least && (reset as number) <= most,
        both(`the reset time, in seconds, of a window of ${windowMs} ms just used up`, `thời gian chờ, tính bằng giây, của cửa sổ ${windowMs} ms vừa dùng hết`),
        least === most ? `${least}` : `${least}–${most}`, String(reset))
      return 'done'
    })
  }
}, { waits: true })

check('burst-admits-the-limit', async ({ learner, did }) => {
  did(both('made 50 calls at once on one connection, with a limit of 10', 'gọi 50 lần cùng lúc trên một kết nối, hạn mức 10'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 10, windowMs: LONG_MS })
  const admitted = await storm(50, () => limiter.call('isAllowed', 'ann'))
  same(admitted.filter((answer) => answer === true).length, 10, both('admissions among 50 calls at once', 'số lời gọi được nhận trong 50 lời gọi cùng lúc'))
})

check('window-slides', async ({ learner, redis, did }) => {
  did(both('admitted one call, then more late in its window, then called again as soon as the first had left it',
    'cho nhận một lời gọi, thêm các lời gọi khác ở cuối cửa sổ, rồi gọi tiếp ngay khi lời gọi đầu ra khỏi cửa sổ'))
  await timely(redis, async (i) => {
    const windowMs = wider(240, i)
    const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 4, windowMs })
    const { user, first } = await quickFirst(redis, limiter, `user-${i}`, () => emptyBetween(redis, windowMs, 0, 0.25))
    await serverReaches(redis, first.after + 0.6 * windowMs)
    const late = [await attempt(redis, limiter, user), await attempt(redis, limiter, user), await attempt(redis, limiter, user)]
    await serverReaches(redis, first.after + windowMs + 4)
    const next = [await attempt(redis, limiter, user), await attempt(redis, limiter, user)]
    const inTime = next[1]!.after - late[0]!.before < windowMs - 10 && inOneWindow(windowMs, first.before, late[2]!.after)
    // An admission kept a little too long shows only to who comes at once.
    if (!inTime || next[0]!.after > first.before + windowMs + PROMPT_MS) return 'too slow'
    judge([first, ...late, ...next], 4, windowMs)
    return 'done'
  })
}, { waits: true })

check('no-double-limit-at-a-boundary', async ({ learner, redis, did }) => {
  did(both('used up the limit just before a multiple of the window, then called just after it',
    'dùng hết hạn mức ngay trước một bội số của cửa sổ rồi gọi ngay sau đó'))
  await timely(redis, async (i) => {
    const windowMs = wider(200, i)
    const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 2, windowMs })
    const now = await serverNow(redis)
    const boundary = Math.ceil((now + 0.3 * windowMs) / windowMs) * windowMs
    await serverReaches(redis, boundary - 0.3 * windowMs)
    const calls = [await attempt(redis, limiter, `user-${i}`), await attempt(redis, limiter, `user-${i}`)]
    await serverReaches(redis, boundary + 3)
    calls.push(await attempt(redis, limiter, `user-${i}`), await attempt(redis, limiter, `user-${i}`))
    if (calls[1]!.after >= boundary || calls[3]!.after - calls[0]!.before >= windowMs - 5) return 'too slow'
    judge(calls, 2, windowMs)
    return 'done'
  })
}, { waits: true })

check('slot-frees-after-the-window', async ({ learner, redis, did }) => {
  did(both('used up the limit and called again as soon as the window had passed', 'dùng hết hạn mức và gọi lại ngay khi hết cửa sổ'))
  await timely(redis, async (i) => {
    const windowMs = 120
    const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 1, windowMs })
    const { user, first } = await quickFirst(redis, limiter, `user-${i}`, () => redis.flushdb())
    await serverReaches(redis, first.after + windowMs + 3)
    const next = await attempt(redis, limiter, user)
    // An admission kept a little too long shows only to who comes at once.
    if (next.after > first.before + windowMs + PROMPT_MS) return 'too slow'
    judge([first, next], 1, windowMs)
    return 'done'
  })
}, { waits: true })

check('rejections-consume-nothing', async ({ learner, redis, did }) => {
  did(both('kept calling while rejected, until the first of the admitted calls had left the window', 'liên tục gọi khi đang bị từ chối cho đến lúc lời gọi được nhận đầu tiên ra khỏi cửa sổ'))
  await timely(redis, async (i) => {
    const windowMs = wider(200, i)
    const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 2, windowMs })
    const { user, first } = await quickFirst(redis, limiter, `user-${i}`, () => emptyBetween(redis, windowMs, 0.3, 0.7))
    const history: Attempt[] = [first, await attempt(redis, limiter, user)]
    const free = first.after + windowMs + 3
    while ((await serverReaches(redis, (await serverNow(redis)) + 10)) < free - 10) history.push(await attempt(redis, limiter, user))
    const late = history.at(-1)!
    await serverReaches(redis, free)
    const next = await attempt(redis, limiter, user)
    const crossed = history.some(({ before, after }) => !inOneWindow(windowMs, first.before, before) && after < first.before + windowMs - 5)
    if (!crossed || late.before < free - windowMs / 2 || next.after > first.before + windowMs + PROMPT_MS) return 'too slow'
    judge([...history, next], 2, windowMs)
    return 'done'
  })
}, { waits: true })

check('short-windows-hold', async ({ learner, redis, did }) => {
  did(both('made five calls within a window of 400 ms, with a limit of 2', 'gọi năm lần trong một cửa sổ 400 ms, hạn mức 2'))
  await timely(redis, async (i) => {
    const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 2, windowMs: 400 })
    const calls: Attempt[] = []
    await phaseBetween(redis, 400, 0, 0.6)
    for (let call = 0; call < 5; call++) calls.push(await attempt(redis, limiter, `user-${i}`))
    if (!inOneWindow(400, calls[0]!.before, calls[4]!.after)) return 'too slow'
    judge(calls, 2, 400)
    return 'done'
  })
}, { waits: true })

check('waiting-the-reset-time-is-enough', async ({ learner, redis, did }) => {
  did(both('used up a limit of 2 in two steps, waited until the first call had left the window, asked for the reset time and the remaining calls, and called again',
    'dùng hết hạn mức 2 theo hai bước, chờ đến khi lời gọi đầu ra khỏi cửa sổ, hỏi thời gian chờ và số lượt còn lại, rồi gọi lại'))
  await timely(redis, async (i) => {
    const windowMs = wider(250, i)
    const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 2, windowMs })
    const { user, first } = await quickFirst(redis, limiter, `user-${i}`, () => emptyBetween(redis, windowMs, 0, 0.5))
    await serverReaches(redis, first.after + 80)
    const second = await attempt(redis, limiter, user)
    await serverReaches(redis, first.after + windowMs + 3)
    // The first has left the window, the second has not: one slot is free, and only one.
    const reset = await limiter.call('getResetTime', user)
    const remaining = await limiter.call('getRemainingRequests', user)
    const asked = await serverNow(redis)
    if (asked > Math.min(second.before + windowMs - 5, first.before + windowMs + PROMPT_MS)) return 'too slow'
    if (!inOneWindow(windowMs, first.before, second.after)) return 'too slow'
    same({ reset, remaining }, { reset: 0, remaining: 1 },
      both('reset time and remaining calls once the first has left the window', 'thời gian chờ và số lượt còn lại khi lời gọi đầu đã ra khỏi cửa sổ'))
    judge([first, second, await attempt(redis, limiter, user)], 2, windowMs)
    return 'done'
  })
}, { waits: true })

check('asking-changes-nothing', async ({ learner, redis, did }) => {
  did(both('asked many times for what remains and when, before and between calls', 'hỏi nhiều lần số lượt còn lại và thời gian chờ, trước và giữa các lời gọi'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 2, windowMs: LONG_MS })
  const ask = (): Promise<unknown> => storm(6, (i) => limiter.call(i % 2 ? 'getRemainingRequests' : 'getResetTime', 'ann'))
  await ask()
  same(await redis.keys('*'), [], both('keys after only asking', 'các key sau khi chỉ hỏi'))
  await limiter.call('isAllowed', 'ann')
  const ends = await expiryTimes(redis)
  await serverReaches(redis, (await serverNow(redis)) + 30)
  await ask()
  for (const [key, end] of await expiryTimes(redis)) {
    const before = ends.get(key)
    holds(before !== undefined && end !== null && end <= before! + 10, both(`the moment ${key} expires, after asking`, `thời điểm ${key} hết hạn, sau khi hỏi`),
      before === null ? both('some time', 'có thời hạn') : both('as before', 'như trước'), movedTo(before, end))
  }
  same(await limiter.call('isAllowed', 'ann'), true, both('the second of two admissions, after asking', 'lượt nhận thứ hai trong hai lượt, sau khi hỏi'))
})

check('keys-are-named-and-expire', async ({ learner, redis, did }) => {
  did(both('admitted calls of the users ann, constructor and __proto__ and looked at every key',
    'cho nhận lời gọi của những người dùng ann, constructor và __proto__ rồi xem mọi key'))
  for (const windowMs of [4200, 1900, 500]) {
    await timely(redis, async () => {
      await redis.flushdb()
      const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 4, windowMs })
      for (const user of ['ann', 'constructor', 'ann']) await limiter.call('isAllowed', user)
      const last = await attempt(redis, limiter, '__proto__')
      const keys = await lifetimes(redis)
      const passed = Math.ceil((await serverNow(redis)) - last.before)
      // A key that goes too early or too late does so by hundreds of milliseconds; in a long time less is left of any.
      if (passed > 200) return 'too slow'
      holds(keys.size > 0, both('keys in Redis after four admissions', 'số key trong Redis sau bốn lượt nhận'), '≥ 1', '0')
      const most = windowMs + 1000
      for (const [key, ms] of keys) {
        holds(key.startsWith('rate_limit:'), both('the beginning of every key', 'phần đầu của mọi key'), 'rate_limit:', key.slice(0, 40))
        holds(ms > 0 && ms <= most, both(`the time left for ${key.slice(0, 40)} with a window of ${windowMs} ms`, `thời gian sống còn lại của ${key.slice(0, 40)} với cửa sổ ${windowMs} ms`),
          both(`1 to ${most} ms`, `từ 1 đến ${most} ms`), ms === -1 ? both('no expiry', 'không có thời hạn') : `${ms} ms`)
      }
      // Whatever the keys are, one of them must tell of the last admission until the end of its window.
      const [longest, least] = [Math.max(...keys.values()), windowMs - passed - 5]
      holds(longest >= least, both(`the longest time left for a key, ${passed} ms after an admission, with a window of ${windowMs} ms`, `thời gian sống còn lại dài nhất của các key, ${passed} ms sau một lượt nhận, với cửa sổ ${windowMs} ms`),
        both(`at least ${least} ms`, `ít nhất ${least} ms`), `${longest} ms`)
      return 'done'
    })
  }
  await rejectionProlongsNoKey(learner, redis)
})

/**
 * A key's expiry counts from the admission. Code that counts it from every call is too late only after a second of
 * rejections; if it rounds up to whole seconds as well, it is so at once in a window a little longer than some seconds.
 */
async function rejectionProlongsNoKey(learner: Learner, redis: Redis): Promise<void> {
  const windowMs = LONG_MS + 10
  await redis.flushdb()
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 1, windowMs })
  let admitted = 0
  for (let n = 0; n < 3 && (await limiter.call('isAllowed', 'ann')) === true; n++) admitted = await serverNow(redis)
  await serverReaches(redis, admitted + 60)
  // How many it admits is a matter of other checks.
  if ((await limiter.call('isAllowed', 'ann')) === true) return
  for (const [key, end] of await expiryTimes(redis)) {
    const late = end === null ? null : Math.round(end - admitted - windowMs)
    holds(late !== null && late <= 1005, both(`the expiry of ${key.slice(0, 40)} after a rejection, counted from the end of the last admission's window`, `thời điểm ${key.slice(0, 40)} hết hạn sau một lần từ chối, tính từ lúc cửa sổ của lượt nhận cuối kết thúc`),
      both('at most 1000 ms later', 'muộn nhất 1000 ms'), late === null ? both('never', 'không bao giờ') : both(`${late} ms later`, `muộn ${late} ms`))
  }
}

check('any-user-id-works', async ({ learner, redis, did }) => {
  const quoted = (id: string): string => escaped(JSON.stringify(id.slice(0, 60)))
  const ids = ['a', 'a:b', 'b', ':a', 'A', 'a b', '*', '{a}', 'a\n', ' ', '\u0103', '\u0161', 'a\u0306', '__proto__', 'x'.repeat(200), '0']
  did(both('used up a limit of 1 for users whose ids look alike, and for users whose id is the rest of a key that the calls of a had made',
    'dùng hết hạn mức 1 của những người dùng có id gần giống nhau, và của những người dùng có id là phần còn lại của một key do lời gọi của a tạo ra'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 1, windowMs: LONG_MS })
  for (const id of ids) {
    same([await limiter.call('isAllowed', id), await limiter.call('isAllowed', id)], [true, false],
      both(`two calls of the user ${quoted(id)}`, `hai lời gọi của người dùng ${quoted(id)}`))
  }
  // Whose id is the end of a key that another user's calls have made.
  await redis.flushdb()
  await limiter.call('isAllowed', 'a')
  for (const key of await redis.keys('rate_limit:?*')) {
    const id = key.slice('rate_limit:'.length)
    if (id === 'a') continue
    same([await limiter.call('isAllowed', id), await limiter.call('isAllowed', id)], [true, false],
      both(`two calls of the user ${quoted(id)}`, `hai lời gọi của người dùng ${quoted(id)}`))
  }
})

check('bad-user-ids-are-refused', async ({ learner, did }) => {
  did(both('called every method with user ids that are none', 'gọi mọi phương thức với userId không hợp lệ'))
  const limiter = await learner.make('RateLimiter', learner.redis)
  for (const method of METHODS) {
    same(typeof (await limiter.call(method, 'ann')), method === 'isAllowed' ? 'boolean' : 'number', both(`the type of what ${method} gives for a good id`, `kiểu kết quả của ${method} với id hợp lệ`))
    learner.wire.forget()
    for (const id of [undefined, null, 42, {}, ['ann'], '']) {
      await refuses(() => limiter.call(method, id), ['TypeError', 'RangeError'], both(`${method}(${JSON.stringify(id) ?? 'undefined'})`, `${method}(${JSON.stringify(id) ?? 'undefined'})`))
    }
    same(learner.wire.commands().length, 0, both('commands sent for bad ids', 'số lệnh được gửi với id không hợp lệ'))
  }
})

check('bad-options-are-refused', async ({ learner, did }) => {
  did(both('made limiters with limits and windows that are none', 'tạo bộ giới hạn với tùy chọn không hợp lệ'))
  const make = (options: object) => (): Promise<Instance> => learner.make('RateLimiter', learner.redis, options)
  for (const name of ['maxRequests', 'windowMs']) {
    for (const value of [0, -1, 1.5, Infinity]) {
      await refuses(make({ [name]: value }), ['RangeError'], both(`new RateLimiter with ${name}: ${value}`, `new RateLimiter với ${name}: ${value}`), { throws: true })
    }
    await refuses(make({ [name]: '60' }), ['TypeError', 'RangeError'], both(`new RateLimiter with ${name}: '60'`, `new RateLimiter với ${name}: '60'`), { throws: true })
    await refuses(make({ [name]: NaN }), ['TypeError', 'RangeError'], both(`new RateLimiter with ${name}: NaN`, `new RateLimiter với ${name}: NaN`), { throws: true })
  }
})

check('admission-is-one-round-trip', async ({ learner, redis, did }) => {
  did(both('counted the round trips of isAllowed, admitted and rejected', 'đếm số lượt gửi–nhận của isAllowed, cả khi được nhận lẫn bị từ chối'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 3, windowMs: LONG_MS })
  await limiter.call('isAllowed', 'warm-up')
  for (const expected of [true, true, true, false]) {
    let answer: unknown
    const { trips } = await learner.roundTrips(async () => { answer = await limiter.call('isAllowed', 'ann') })
    same(answer, expected, both('the answer', 'kết quả'))
    atMost(trips, 1, both('round trips of one call', 'số lượt gửi–nhận của một lời gọi'))
    await nextMoment(redis)
  }
})

check('no-leaked-connection', async ({ learner, did }) => {
  did(both('called isAllowed eight times at once and the other methods once, then counted the connections', 'gọi isAllowed tám lần cùng lúc và mỗi phương thức còn lại một lần rồi đếm số kết nối'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 5, windowMs: LONG_MS })
  await storm(8, () => limiter.call('isAllowed', 'ann'))
  await limiter.call('getRemainingRequests', 'ann')
  await limiter.call('getResetTime', 'ann')
  await until(() => learner.wire.open() === 1, both('the connections made by duplicate() to be closed', 'các kết nối tạo bằng duplicate() được đóng'), 1500)
})

/** What asking has made of a moment of expiry; undefined where there was no key, null where there is no expiry. */
function movedTo(before: number | null | undefined, end: number | null): Text {
  if (before === undefined) return both('a new key', 'có key mới')
  if (end === null) return both('never', 'không bao giờ')
  if (before === null) return both('an expiry where there was none', 'có thời hạn trong khi trước đó không có')
  return both(`${Math.round(end - before)} ms later`, `muộn hơn ${Math.round(end - before)} ms`)
}

async function lifetimes(redis: { keys(pattern: string): Promise<string[]>; pttl(key: string): Promise<number> }): Promise<Map<string, number>> {
  const keys = (await redis.keys('*')).toSorted()
  return new Map(await Promise.all(keys.map(async (key): Promise<[string, number]> => [key, await redis.pttl(key)])))
}

/** When each key expires by the server's clock, in milliseconds; null for one that never does. */
async function expiryTimes(redis: Redis): Promise<Map<string, number | null>> {
  const keys = (await redis.keys('*')).toSorted()
  return new Map(await Promise.all(keys.map(async (key): Promise<[string, number | null]> => {
    // One transaction: the clock and the time left belong together.
    const [time, left] = (await redis.multi().time().pttl(key).exec())!.map(([, value]) => value) as [[string, string], number]
    return [key, left < 0 ? null : Number(time[0]) * 1000 + Number(time[1]) / 1000 + left]
  })))
}

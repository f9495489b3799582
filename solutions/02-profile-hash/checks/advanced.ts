/**
 * Saving and updating are one step each: for whoever works at the same time, for whoever comes after a crash, and for a
 * profile that goes away meanwhile. Failures of Redis reach the caller.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Redis } from 'ioredis'
import type { Text } from '#catalog/text.ts'
import { besideACutClient, both, check, CheckFailed, commandsRun, holds, plain, rejects, same, shown, storm } from '#checks'
import { betweenAllCommands } from './deletion.ts'
import { keyOf, NEW, OLD, read, save, state, update } from './profiles.ts'

/** Seconds an old profile has left: far fewer than a new one. */
const OLD_SECONDS = 100

check('crash-leaves-an-expiry', async ({ learner, cuts, redis, did }) => {
  did(both('cut the connection after each command of a save, of a first one and of one over an old profile with 100 s left',
    'cắt kết nối sau từng lệnh của một lần lưu, khi chưa có hồ sơ và khi hồ sơ cũ còn 100 s'))
  for (const replaces of [false, true]) {
    const setup = async (): Promise<void> => {
      if (!replaces) return
      await save(learner, 7, OLD)
      await redis.expire(keyOf(7), OLD_SECONDS)
    }
    const left = async (): Promise<Left> => leftOf(await redis.pttl(keyOf(7)))
    await setup()
    const before = await left()
    await save(learner, 7, NEW)
    holds(holdsNew(await read(learner, 7)), both('a profile that was saved', 'hồ sơ đã lưu'), shown(NEW), shown(await read(learner, 7)))
    // What an uncut save gives is the matter of other checks.
    const after = await left()
    const lasting = await keysForEver(redis)
    await cuts.explore({
      setup,
      call: (caller) => save(caller, 7, NEW),
      audit: async () => {
        const remains = (await keysForEver(redis)).filter((key) => key !== keyOf(7) && !lasting.includes(key))
        same(remains, [], both('other keys without an expiry after the crash', 'các key khác không có thời hạn sau khi sập'))
        const found = await left()
        if (found === 'no profile') return
        const expected = holdsNew(await read(learner, 7)) ? after : before
        holds(found === expected, both('the time left after the crash', 'thời gian sống còn lại sau khi sập'), LEFT[expected], LEFT[found])
      },
    })
  }
})

async function keysForEver(redis: Redis): Promise<string[]> {
  const keys = await redis.keys('*')
  const times = await Promise.all(keys.map((key) => redis.pttl(key)))
  return keys.filter((_, i) => times[i] === -1)
}

/** What can be said of the time a profile has left. */
const LEFT = {
  'no profile': both('no profile', 'không có hồ sơ'),
  'no expiry': both('no expiry', 'không có thời hạn'),
  '100 s at most': both('100 s at most', 'không quá 100 s'),
  'more than 100 s': both('more than 100 s', 'hơn 100 s'),
}

type Left = keyof typeof LEFT

function leftOf(ms: number): Left {
  if (ms === -2) return 'no profile'
  if (ms === -1) return 'no expiry'
  return ms <= OLD_SECONDS * 1000 ? '100 s at most' : 'more than 100 s'
}

/** Any field of the new profile: whether it is whole is the matter of another check. */
function holdsNew(profile: unknown): boolean {
  return profile !== null && Object.entries(NEW).some(([field, value]) => (profile as Record<string, unknown>)[field] === value)
}

check('crash-leaves-a-whole-profile', async ({ learner, cuts, did }) => {
  did(both('cut the connection after each command of a save over an old profile', 'cắt kết nối sau từng lệnh của một lần lưu đè lên hồ sơ cũ'))
  await save(learner, 7, OLD)
  await save(learner, 7, NEW)
  // That an uncut save leaves the new profile and nothing else is the matter of another check.
  const whole = [OLD, await read(learner, 7)]
  await cuts.explore({
    setup: async () => { await save(learner, 7, OLD) },
    call: (caller) => save(caller, 7, NEW),
    audit: async () => oneOf(await read(learner, 7), whole, both('After the crash, the profile', 'Sau khi sập, hồ sơ')),
  })
})

check('readers-see-a-whole-profile', async ({ learner, schedules, redis, did }) => {
  did(both('one process saves a profile over another while a second one reads, in every order of their commands; then a profile is deleted in the middle of a read',
    'một tiến trình lưu đè hồ sơ trong khi tiến trình khác đọc, theo mọi thứ tự lệnh có thể; sau đó hồ sơ bị xóa ngay giữa lúc đọc'))
  await schedules.explore({
    setup: async () => { await save(learner, 7, OLD) },
    callers: [(caller) => save(caller, 7, NEW), (caller) => read(caller, 7)],
    holds: async ([saved, found]) => {
      if (saved instanceof Error) throw saved
      if (found instanceof Error) throw found
      oneOf(found, [OLD, await read(learner, 7)], both('The profile that was read', 'Hồ sơ đọc được'))
    },
    names: [both('the save', 'lần lưu'), both('the read', 'lần đọc')],
    limit: 150,
  })
  const found = async (): Promise<unknown> => plain(await learner.call('getUserProfile', learner.redis, 7))
  await redis.del(keyOf(7))
  // What a missing profile is read as is the matter of another check.
  const missing = await found()
  let answer: unknown
  await betweenAllCommands(learner, {
    setup: async () => { await save(learner, 7, OLD) },
    call: async () => { answer = await found() },
    disturb: () => redis.del(keyOf(7)),
    name: `DEL ${keyOf(7)}`,
    audit: async () => oneOf(answer, [OLD, missing], both('What was read of a profile deleted meanwhile', 'Kết quả đọc hồ sơ bị xóa trong lúc đó')),
  })
})

check('saves-at-once-do-not-mix', async ({ learner, schedules, did }) => {
  did(both('two processes save different profiles of one user at once, in every order of their commands',
    'hai tiến trình cùng lúc lưu hai hồ sơ khác nhau của một người dùng, theo mọi thứ tự lệnh có thể'))
  const inTurn: unknown[] = []
  for (const [first, second] of [[OLD, NEW], [NEW, OLD]] as const) {
    await save(learner, 7, first)
    await save(learner, 7, second)
    inTurn.push(await read(learner, 7))
  }
  await schedules.explore({
    callers: [(caller) => save(caller, 7, OLD), (caller) => save(caller, 7, NEW)],
    holds: async (results) => {
      for (const result of results) if (result instanceof Error) throw result
      oneOf(await read(learner, 7), inTurn, both('The profile after two saves at once', 'Hồ sơ sau hai lần lưu cùng lúc'))
    },
    // Enough for every order of two saves of three commands, and many of longer ones.
    limit: 40,
  })
})

check('update-brings-nothing-back', async ({ learner, redis, did }) => {
  did(both('deleted the profile in the middle of two updates on one connection, before each of their commands',
    'xóa hồ sơ giữa chừng hai lần cập nhật trên cùng kết nối, trước từng lệnh của chúng'))
  const updates = (): Promise<unknown> => storm(2, (i) => update(learner, 7, ['city', 'phone'][i]!, 'new'))
  await save(learner, 7, OLD)
  await update(learner, 7, 'city', 'new')
  same(await read(learner, 7), { ...OLD, city: 'new' }, both('the profile when nobody deletes it', 'hồ sơ khi không ai xóa'))
  await betweenAllCommands(learner, {
    setup: async () => { await save(learner, 7, OLD) },
    call: updates,
    disturb: () => redis.del(keyOf(7)),
    name: `DEL ${keyOf(7)}`,
    audit: async (at) => {
      same(await read(learner, 7), null,
        both(`the profile, deleted when ${at} ${at === 1 ? 'command' : 'commands'} of the updates had been done`, `hồ sơ bị xóa khi đã thực hiện ${at} lệnh của các lần cập nhật`))
    },
  })
})

check('crash-in-an-update-harms-nothing', async ({ learner, cuts, redis, did }) => {
  did(both('cut the connection after each command of an update, without a profile and with one',
    'cắt kết nối sau từng lệnh của một lần cập nhật, khi không có và khi có hồ sơ'))
  for (const there of [false, true]) {
    const setup = async (): Promise<void> => { if (there) await save(learner, 7, OLD) }
    await setup()
    const before = await state(learner, redis, 7)
    await update(learner, 7, 'city', 'Vinh')
    // What an uncut update does is the matter of other checks.
    const after = await state(learner, redis, 7)
    if (there) same((after.profile as Record<string, unknown> | null)?.city, 'Vinh', both('the city after an update', 'city sau khi cập nhật'))
    await cuts.explore({
      setup,
      call: (caller) => update(caller, 7, 'city', 'Vinh'),
      audit: async () => oneOf(await state(learner, redis, 7), [before, after], both('After the crash, the profile', 'Sau khi sập, hồ sơ')),
    })
  }
})

check('redis-failure-rejects', async ({ learner, did }) => {
  did(both('called every function with Redis out of reach, and meanwhile read with a client that reaches it',
    'gọi mọi hàm khi không kết nối được Redis, cùng lúc đọc bằng một client còn kết nối'))
  const offline = await learner.withRedis({ reconnects: false, retriesPerRequest: 0 })
  await save(offline, 7, OLD)
  await update(offline, 7, 'city', 'Vinh')
  same(await read(offline, 7), { ...OLD, city: 'Vinh' }, both('the profile while Redis works', 'hồ sơ khi Redis còn hoạt động'))
  const sound = await besideACutClient(offline, learner, (client) => read(client, 7))
  same(sound, { value: { ...OLD, city: 'Vinh' } },
    both('the profile by a client whose connection is sound, when another loses its own', 'hồ sơ đọc qua client còn kết nối, khi một client khác mất kết nối'))
  for (const [name, ...args] of [['saveUserProfile', 7, OLD], ['getUserProfile', 7], ['updateUserField', 7, 'city', 'Hue']] as const) {
    await rejects(() => offline.call(name, offline.redis, ...args), both(`${name} while Redis is out of reach`, `${name} khi không kết nối được Redis`))
  }
})

check('survives-an-emptied-script-cache', async ({ learner, redis, did }) => {
  did(both('emptied the script cache between the calls', 'xóa script cache giữa các lời gọi'))
  for (const city of ['Hue', 'Vinh']) {
    await save(learner, 7, OLD)
    await redis.script('FLUSH')
    await update(learner, 7, 'city', city)
    await redis.script('FLUSH')
    same(await read(learner, 7), { ...OLD, city }, both('the profile', 'hồ sơ'))
    await redis.script('FLUSH')
  }
})

check('never-searches-the-keys', async ({ learner, redis, did }) => {
  did(both('called every function and looked at what the server ran, inside scripts too', 'gọi mọi hàm rồi xem những lệnh server đã chạy, kể cả trong script'))
  const names = await commandsRun(redis, async () => {
    await save(learner, 7, OLD)
    await save(learner, 7, OLD)
    await update(learner, 7, 'city', 'Vinh')
    await update(learner, 8, 'city', 'Vinh')
    await read(learner, 8)
    same(await read(learner, 7), { ...OLD, city: 'Vinh' }, both('the profile', 'hồ sơ'))
  })
  const searching = names.filter((name) => ['KEYS', 'SCAN', 'FLUSHDB', 'FLUSHALL'].includes(name))
  same(searching, [], both('commands that go through the whole database', 'các lệnh duyệt toàn bộ database'))
})

function oneOf(found: unknown, allowed: readonly unknown[], what: Text): void {
  if (allowed.some((one) => isDeepStrictEqual(found, one))) return
  const [first, second] = allowed.map(shown)
  throw new CheckFailed(
    both(`${what.en}: expected ${first} or ${second}, got ${shown(found)}.`, `${what.vi}: mong đợi ${first} hoặc ${second}, nhận được ${shown(found)}.`),
    { expected: both(`${first} or ${second}`, `${first} hoặc ${second}`), got: shown(found) })
}

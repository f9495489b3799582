/**
 * Saving replaces, updating sets one field of what is there and creates nothing. Only a save moves the expiry. No update
 * is lost among many, values are nobody's to change, and all processes see the same.
 */
import { both, check, same, settled, storm, until } from '#checks'
import { betweenAllCommands } from './deletion.ts'
import { givesAnHour, HOUR_MS, keepsTheExpiry, keepsTheLastHalfSecond } from './expiry.ts'
import { keyOf, NEW, OLD, read, save, update } from './profiles.ts'

const LARGEST = Number.MAX_SAFE_INTEGER

check('save-replaces-the-whole-profile', async ({ learner, did }) => {
  did(both('saved a profile over another one, and over one with an added field', 'lưu một hồ sơ đè lên hồ sơ khác, và đè lên hồ sơ có field được thêm'))
  await save(learner, 7, OLD)
  await save(learner, 7, NEW)
  same(await read(learner, 7), NEW, both('the profile after the second save', 'hồ sơ sau lần lưu thứ hai'))
  await update(learner, 7, 'city', 'Vinh')
  await save(learner, 7, NEW)
  same(await read(learner, 7), NEW, both('the profile after the third save', 'hồ sơ sau lần lưu thứ ba'))
})

check('every-save-renews-the-expiry', async ({ learner, another, redis, did }) => {
  did(both('saved a profile again, when 100 s were left, when 10 000 s were left and when it had no expiry, then by a process whose clock is half an hour slow',
    'lưu lại hồ sơ khi còn 100 s, khi còn 10 000 s và khi nó không có thời hạn, rồi lưu từ tiến trình có đồng hồ chậm nửa giờ'))
  const what = both('the time left for user:7:profile after it was saved again', 'thời gian sống còn lại của user:7:profile sau khi lưu lại')
  await save(learner, 7, OLD)
  await redis.expire(keyOf(7), 100)
  await givesAnHour(redis, 7, () => save(learner, 7, OLD), what)
  await redis.expire(keyOf(7), 10_000)
  await givesAnHour(redis, 7, () => save(learner, 7, NEW), what)
  await redis.persist(keyOf(7))
  await givesAnHour(redis, 7, () => save(learner, 7, OLD), what)
  const behind = await another({ clockShiftMs: -HOUR_MS / 2 })
  await givesAnHour(redis, 7, () => save(behind, 7, NEW), what)
})

check('update-keeps-the-expiry', async ({ learner, redis, did }) => {
  did(both('set the expiry of a profile to about 500 s and updated two fields, then one in its last half second',
    'đặt thời hạn của hồ sơ còn khoảng 500 s rồi cập nhật hai field, sau đó cập nhật một field trong nửa giây cuối'))
  const what = both('The expiry after an update', 'Thời hạn sau khi cập nhật')
  await save(learner, 7, OLD)
  for (const field of ['city', 'phone']) await keepsTheExpiry(redis, 7, () => update(learner, 7, field, 'new'), what)
  same(await read(learner, 7), { ...OLD, city: 'new', phone: 'new' }, both('the profile', 'hồ sơ'))
  await keepsTheLastHalfSecond(redis, 7, () => save(learner, 7, OLD), () => update(learner, 7, 'city', 'new'), what)
})

check('reading-keeps-the-expiry', async ({ learner, redis, did }) => {
  did(both('set the expiry of a profile to about 500 s, then to half a second, and read it', 'đặt thời hạn của hồ sơ còn khoảng 500 s, rồi nửa giây, và đọc'))
  const what = both('The expiry after reading', 'Thời hạn sau khi đọc')
  await save(learner, 7, OLD)
  let found: unknown
  await keepsTheExpiry(redis, 7, async () => { found = await read(learner, 7) }, what)
  same(found, OLD, both('the profile', 'hồ sơ'))
  await keepsTheLastHalfSecond(redis, 7, () => save(learner, 7, OLD), () => read(learner, 7), what)
})

check('update-creates-nothing', async ({ learner, redis, did }) => {
  did(both('updated a profile that has expired, one that nobody has saved, and one that is first saved in the middle of the update',
    'cập nhật hồ sơ đã hết hạn, hồ sơ chưa ai lưu, và hồ sơ được lưu lần đầu ngay giữa lúc cập nhật'))
  await save(learner, 7, OLD)
  await update(learner, 7, 'city', 'Vinh')
  same(await read(learner, 7), { ...OLD, city: 'Vinh' }, both('a profile that is there, updated', 'hồ sơ còn đó, sau khi cập nhật'))
  await redis.pexpire(keyOf(7), 1)
  await until(async () => (await redis.exists(keyOf(7))) === 0, both('the profile to expire', 'hồ sơ hết hạn'))
  for (const [userId, what] of [[7, both('a profile that has expired', 'hồ sơ đã hết hạn')], [8, both('a profile that nobody has saved', 'hồ sơ chưa ai lưu')]] as const) {
    const answer = await update(learner, userId, 'city', 'Hue')
    same(await redis.keys('*'), [], both(`the keys in Redis after an update of ${what.en}`, `các key trong Redis sau khi cập nhật ${what.vi}`))
    same(answer, false, both(`the answer to an update of ${what.en}`, `kết quả khi cập nhật ${what.vi}`))
  }
  let outcome: object
  await betweenAllCommands(learner, {
    setup: async () => { await redis.flushdb() },
    call: async () => { outcome = await settled(update(learner, 7, 'city', 'Hue')) },
    disturb: () => redis.multi().hset(keyOf(7), NEW).expire(keyOf(7), HOUR_MS / 1000).exec(),
    name: `HSET ${keyOf(7)}`,
    audit: async (at) => {
      if (!('value' in outcome) || outcome.value !== false) return
      same(((await read(learner, 7)) as Record<string, unknown> | null)?.city ?? null, null,
        both(`the city after an update that answered false, when the profile was first saved after ${at} of its commands`,
          `city sau khi lần cập nhật trả về false, với hồ sơ được lưu lần đầu sau ${at} lệnh của nó`))
    },
  })
}, { waits: true })

check('concurrent-updates-are-all-kept', async ({ learner, schedules, did }) => {
  did(both('updated ten fields at once on one connection, then two in two processes in every order of their commands',
    'cập nhật mười field cùng lúc trên một kết nối, rồi hai field ở hai tiến trình theo mọi thứ tự lệnh có thể'))
  const fields = Array.from({ length: 10 }, (_, i) => [`field ${i}`, `value ${i}`] as const)
  await save(learner, 7, { ...OLD, ...Object.fromEntries(fields.map(([field]) => [field, 'old'])) })
  await storm(10, (i) => update(learner, 7, ...fields[i]!))
  same(await read(learner, 7), { ...OLD, ...Object.fromEntries(fields) }, both('the profile after ten updates at once', 'hồ sơ sau mười lần cập nhật cùng lúc'))
  await schedules.explore({
    setup: async () => { await save(learner, 7, OLD) },
    callers: [(caller) => update(caller, 7, 'city', 'Vinh'), (caller) => update(caller, 7, 'phone', '0123')],
    holds: async (results) => {
      for (const result of results) if (result instanceof Error) throw result
      same(await read(learner, 7), { ...OLD, city: 'Vinh', phone: '0123' },
        both('the profile after two updates at once', 'hồ sơ sau hai lần cập nhật cùng lúc'))
    },
    limit: 150,
  })
})

const VALUES = [
  '25', '007', '1.50', '1e3', 'true', 'null', 'undefined', '{"a":1}', '[1]', '"quoted"', 'it\'s', 'a:b,c', '[object Object]',
  ' spaces ', 'line\nbreak\r\n', '\ttab', 'nul\u0000nul', 'Huế', 'HUẾ', 'Hue\u0302\u0301', '東京', '😀', '<b>&amp;</b>', '%20',
  '\uFEFFmark', 'x'.repeat(100_000),
]

/** Fields are texts as well; the last ones mean something to JavaScript. */
const FIELDS = ['tên', 'Tên', ' name ', 'a:b', '7', '😀', 'constructor', 'hasOwnProperty', 'toString', '__proto__']

check('values-come-back-byte-for-byte', async ({ learner, did }) => {
  did(both('saved and updated values of many kinds, and fields with unusual names', 'lưu và cập nhật các giá trị đủ loại, và các field có tên khác thường'))
  const profile = Object.fromEntries(VALUES.map((value, i) => [`field ${i}`, value]))
  await save(learner, 7, profile)
  await save(learner, 8, Object.fromEntries(Object.keys(profile).map((field) => [field, 'old'])))
  for (const [i, value] of VALUES.entries()) await update(learner, 8, `field ${i}`, value)
  const [saved, updated] = [await read(learner, 7), await read(learner, 8)]
  for (const [i, value] of VALUES.entries()) {
    same(fieldOf(saved, i), value, both('a value that was saved', 'một giá trị đã lưu'))
    same(fieldOf(updated, i), value, both('a value that was updated', 'một giá trị đã cập nhật'))
  }
  // Field by field: `{ __proto__: … }` is no literal of such a field.
  await save(learner, 9, Object.fromEntries(FIELDS.map((field) => [field, `value of ${field}`])))
  await update(learner, 9, 'constructor', 'new')
  const found = Object.entries((await read(learner, 9)) ?? {})
  for (const field of FIELDS) {
    const value = field === 'constructor' ? 'new' : `value of ${field}`
    same(found.find(([name]) => name === field)?.[1], value, both(`the value of the field ${field}`, `giá trị của field ${field}`))
  }
})

function fieldOf(profile: unknown, i: number): unknown {
  return (profile as Record<string, unknown> | null)?.[`field ${i}`]
}

check('empty-values-are-kept', async ({ learner, did }) => {
  did(both('saved empty values, set a field to one, updated a field that held one, and one whose name is empty',
    'lưu giá trị rỗng, cập nhật field thành rỗng, cập nhật field đang rỗng và field có tên rỗng'))
  await save(learner, 7, { name: '', city: 'Hue' })
  same(await read(learner, 7), { name: '', city: 'Hue' }, both('the profile', 'hồ sơ'))
  await update(learner, 7, 'city', '')
  await update(learner, 7, 'name', 'Ann')
  same(await read(learner, 7), { name: 'Ann', city: '' }, both('the profile after two updates', 'hồ sơ sau hai lần cập nhật'))
  await save(learner, 8, { name: '' })
  same(await read(learner, 8), { name: '' }, both('a profile whose only value is empty', 'hồ sơ chỉ có một giá trị rỗng'))
  await save(learner, 9, { '': 'Ann' })
  await update(learner, 9, '', 'Bob')
  same(await read(learner, 9), { '': 'Bob' }, both('a profile whose only field has an empty name, updated', 'hồ sơ chỉ có một field tên rỗng, sau khi cập nhật'))
})

check('processes-share-the-profiles', async ({ learner, another, did }) => {
  did(both('saved, updated and read a profile in two processes in turn', 'lần lượt lưu, cập nhật và đọc một hồ sơ ở hai tiến trình'))
  const other = await another()
  const seen = async (profile: object): Promise<void> => {
    same(await read(other, 7), profile, both('the profile as the other process sees it', 'hồ sơ mà tiến trình kia thấy'))
    same(await read(learner, 7), profile, both('the profile as the first process sees it', 'hồ sơ mà tiến trình đầu thấy'))
  }
  await save(learner, 7, OLD)
  await seen(OLD)
  await update(other, 7, 'city', 'Vinh')
  await seen({ ...OLD, city: 'Vinh' })
  await save(other, 7, { ...OLD, name: 'Bob' })
  await seen({ ...OLD, name: 'Bob' })
  await update(learner, 7, 'name', 'Cem')
  await seen({ ...OLD, name: 'Cem' })
})

check('largest-ids-work', async ({ learner, did }) => {
  did(both('saved, updated and read profiles of users with ids up to 2^53 − 1', 'lưu, cập nhật và đọc hồ sơ có userId đến 2^53 − 1'))
  const ids = [LARGEST, LARGEST - 1, 2 ** 32 + 1, 2 ** 31, 1]
  for (const userId of ids) await save(learner, userId, { name: `user ${userId}`, city: 'Hue' })
  for (const userId of ids) await update(learner, userId, 'city', `city ${userId}`)
  for (const userId of ids) {
    same(await read(learner, userId), { name: `user ${userId}`, city: `city ${userId}` }, both(`the profile of user ${userId}`, `hồ sơ của người dùng ${userId}`))
  }
})

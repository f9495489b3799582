/**
 * Bad input reaches nobody, a key of another type is no missing profile, and every call is one round trip, however many
 * fields it saves. No connection is left open.
 */
import { atMost, both, check, holds, plantWrongType, refuses, rejects, same, settled, shown, storm, until, type Learner } from '#checks'
import { keyOf, NEW, OLD, read, save, update, type Profile } from './profiles.ts'

/** Calls that must be refused: what comes after the client, and with which error. */
type Bad = readonly [args: readonly unknown[], classes: readonly string[]]

const EITHER = ['TypeError', 'RangeError']

check('bad-ids-are-refused', async ({ learner, did }) => {
  did(both('called every function with user ids that are none', 'gọi mọi hàm với userId không hợp lệ'))
  await allIsWell(learner)
  const ids: (readonly [unknown, readonly string[]])[] = [
    ...[0, -1, 1.5, Infinity, 2 ** 53].map((id) => [id, ['RangeError']] as const),
    ...[undefined, null, true, {}, [7], 7n].map((id) => [id, ['TypeError']] as const),
    ['7', EITHER], [NaN, EITHER],
  ]
  for (const [name, ...rest] of [['saveUserProfile', OLD], ['getUserProfile'], ['updateUserField', 'city', 'Vinh']] as const) {
    await refusesAll(learner, name, ids.map(([id, classes]): Bad => [[id, ...rest], classes]))
  }
})

check('empty-profile-is-refused', async ({ learner, did }) => {
  did(both('saved an empty profile, things that are no profile, and an object that does not inherit from Object',
    'lưu hồ sơ rỗng, những thứ không phải hồ sơ, và một object không kế thừa Object'))
  await allIsWell(learner)
  await refusesAll(learner, 'saveUserProfile', [
    [[7, {}], ['RangeError']],
    ...[undefined, null, 42, true, 'text', ''].map((profile): Bad => [[7, profile], EITHER]),
  ])
  // Such as querystring.parse() gives. A literal would cross the pipe as an ordinary one.
  const parsed = await learner.host.plant(() => Object.assign(Object.create(Object.create(null)), { name: 'Bob', city: '' }))
  await save(learner, 8, (await parsed()) as Profile)
  same(await read(learner, 8), { name: 'Bob', city: '' },
    both('the profile that was saved as an object without Object.prototype', 'hồ sơ đã lưu từ object không có Object.prototype'))
})

check('bad-values-are-refused', async ({ learner, did }) => {
  did(both('saved profiles in which one value is no string', 'lưu những hồ sơ có một giá trị không phải chuỗi'))
  await allIsWell(learner)
  const bad = [25, 0, null, undefined, true, {}, ['a'], NaN]
  await refusesAll(learner, 'saveUserProfile', [
    ...bad.map((value): Bad => [[7, { name: 'Ann', age: value }], ['TypeError']]),
    [[7, { age: 25, name: 'Ann' }], ['TypeError']],
    [[7, { age: null }], ['TypeError']],
  ])
})

check('bad-updates-are-refused', async ({ learner, did }) => {
  did(both('updated with fields and values that are no strings', 'cập nhật với field và giá trị không phải chuỗi'))
  await allIsWell(learner)
  const bad = [25, 0, null, undefined, true, {}, ['a']]
  await refusesAll(learner, 'updateUserField', [
    ...bad.map((value): Bad => [[7, 'city', value], ['TypeError']]),
    ...bad.map((field): Bad => [[7, field, 'Vinh'], ['TypeError']]),
  ])
})

check('wrong-type-rejects', async ({ learner, redis, did }) => {
  did(both('read and updated a profile at whose key there is a list', 'đọc và cập nhật hồ sơ mà key của nó là list'))
  await allIsWell(learner)
  await redis.del(keyOf(7))
  await redis.rpush(keyOf(7), 'planted')
  await rejects(() => learner.call('getUserProfile', learner.redis, 7), both('getUserProfile(redis, 7) when the key holds a list', 'getUserProfile(redis, 7) khi key là list'))
  await rejects(() => update(learner, 7, 'city', 'Vinh'), both('updateUserField(redis, 7, …) when the key holds a list', 'updateUserField(redis, 7, …) khi key là list'))
})

check('saving-is-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of saveUserProfile, for a new profile and over one that is there', 'đếm số lượt gửi–nhận của saveUserProfile, với hồ sơ mới và hồ sơ đã có'))
  await save(learner, 99, OLD)
  for (const profile of [OLD, NEW]) {
    const { trips } = await learner.roundTrips(() => save(learner, 7, profile))
    atMost(trips, 1, both('round trips of one save', 'số lượt gửi–nhận của một lần lưu'))
    holds(nameIn(await read(learner, 7)) === profile.name, both('the name in the profile afterwards', 'tên trong hồ sơ sau đó'), profile.name!, shown(nameIn(await read(learner, 7))))
  }
})

check('reading-is-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of getUserProfile, with a profile and without', 'đếm số lượt gửi–nhận của getUserProfile, khi có và không có hồ sơ'))
  await save(learner, 7, OLD)
  await read(learner, 7)
  for (const [userId, expected] of [[7, OLD], [8, null]] as const) {
    let found: unknown
    const { trips } = await learner.roundTrips(async () => { found = await read(learner, userId) })
    atMost(trips, 1, both('round trips of one read', 'số lượt gửi–nhận của một lần đọc'))
    same(found, expected, both('what was read', 'kết quả đọc'))
  }
})

check('updating-is-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of updateUserField, for an old field, a new one and without a profile',
    'đếm số lượt gửi–nhận của updateUserField, với field cũ, field mới và khi không có hồ sơ'))
  await save(learner, 7, OLD)
  await update(learner, 7, 'name', 'Cem')
  for (const [userId, field] of [[7, 'city'], [7, 'email'], [8, 'city']] as const) {
    const { trips } = await learner.roundTrips(() => update(learner, userId, field, 'new'))
    atMost(trips, 1, both('round trips of one update', 'số lượt gửi–nhận của một lần cập nhật'))
  }
  const found = (await read(learner, 7)) as Record<string, unknown> | null
  same({ name: found?.name, city: found?.city }, { name: 'Cem', city: 'new' }, both('two fields of the profile afterwards', 'hai field của hồ sơ sau đó'))
})

check('many-fields-cost-no-more-commands', async ({ learner, did }) => {
  did(both('counted the commands of saving and reading a profile of one field and one of 100', 'đếm số lệnh khi lưu và đọc hồ sơ một field và hồ sơ 100 field'))
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`field ${i}`, `value ${i}`]))
  const commands = async (userId: number, profile: Readonly<Record<string, string>>): Promise<number> => {
    learner.wire.forget()
    await save(learner, userId, profile)
    // What was sent before is answered before: nothing is missed of code that does not wait for its saves.
    same(await read(learner, userId), profile, both('the profile', 'hồ sơ'))
    return learner.wire.commands().length
  }
  await commands(6, OLD)
  const few = await commands(7, { name: 'Ann' })
  atMost(await commands(8, many), few,
    both('commands to save and read 100 fields, no more than for one field', 'số lệnh để lưu và đọc 100 field, không nhiều hơn khi chỉ có một field'))
})

check('no-leaked-connection', async ({ learner, redis, did }) => {
  did(both('called every function many times, also with a wrong type at every key, then counted the connections',
    'gọi mọi hàm nhiều lần, cả khi mọi key đều sai kiểu, rồi đếm số kết nối'))
  await storm(6, () => save(learner, 7, OLD))
  await storm(6, (i) => update(learner, 7, `field ${i}`, 'value'))
  await update(learner, 8, 'city', 'Hue')
  await storm(6, () => read(learner, 7))
  for (const key of await redis.keys('*')) await plantWrongType(redis, key)
  for (const call of [() => read(learner, 7), () => update(learner, 7, 'city', 'Hue'), () => save(learner, 7, OLD)]) await settled(call())
  await until(() => learner.wire.open() === 1, both('the connections made by duplicate() to be closed', 'các kết nối tạo bằng duplicate() được đóng'), 1500)
})

/** With good input every function does something: what refuses everything earns nothing. */
async function allIsWell(learner: Learner): Promise<void> {
  await save(learner, 7, OLD)
  await update(learner, 7, 'name', 'Cem')
  same(await read(learner, 7), { ...OLD, name: 'Cem' }, both('a good profile, updated', 'một hồ sơ hợp lệ sau khi cập nhật'))
}

async function refusesAll(learner: Learner, name: string, bad: readonly Bad[]): Promise<void> {
  learner.wire.forget()
  for (const [args, classes] of bad) {
    const call = `${name}(redis, ${args.map(shown).join(', ')})`
    await refuses(() => learner.call(name, learner.redis, ...args), classes, both(call, call))
    same(learner.wire.commands().length, 0, both(`commands sent by ${call}`, `số lệnh được gửi bởi ${call}`))
  }
}

function nameIn(profile: unknown): unknown {
  return (profile as Record<string, unknown> | null)?.name
}

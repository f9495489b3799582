/**
 * A profile is a hash at `user:{id}:profile` for one hour; what was saved comes back, what is not there is null, and an
 * update sets one field of it.
 */
import { both, check, holds, same } from '#checks'
import { givesAnHour } from './expiry.ts'
import { keyOf, NEW, OLD, read, save, update } from './profiles.ts'

check('saved-profile-comes-back', async ({ learner, did }) => {
  did(both('saved a profile and read it twice', 'lưu một hồ sơ rồi đọc hai lần'))
  await save(learner, 7, OLD)
  for (let i = 0; i < 2; i++) same(await read(learner, 7), OLD, both('the profile', 'hồ sơ'))
})

check('missing-profile-is-null', async ({ learner, redis, did }) => {
  did(both('read a profile that nobody has saved, and one that is gone', 'đọc hồ sơ chưa ai lưu và hồ sơ đã mất'))
  const get = (userId: number): Promise<unknown> => learner.call('getUserProfile', learner.redis, userId)
  await save(learner, 7, OLD)
  holds((await get(7)) !== null, both('a profile that was saved', 'hồ sơ đã lưu'), both('a profile', 'có hồ sơ'), 'null')
  same(await get(8), null, both('a profile that nobody has saved', 'hồ sơ chưa ai lưu'))
  await redis.del(keyOf(7))
  same(await get(7), null, both('a profile that is gone', 'hồ sơ đã mất'))
})

check('users-have-their-own-profile', async ({ learner, did }) => {
  did(both('saved the profiles of two users and updated one of them', 'lưu hồ sơ của hai người dùng rồi cập nhật một hồ sơ'))
  await save(learner, 7, OLD)
  await save(learner, 77, NEW)
  await update(learner, 77, 'name', 'Cem')
  same([await read(learner, 7), await read(learner, 77)], [OLD, { ...NEW, name: 'Cem' }],
    both('the profiles of the two', 'hồ sơ của hai người'))
})

check('profile-is-a-hash-at-its-key', async ({ learner, redis, did }) => {
  did(both('saved the profile of user 7 and looked at the key user:7:profile', 'lưu hồ sơ của người dùng 7 rồi xem key user:7:profile'))
  await save(learner, 7, OLD)
  same(await redis.type(keyOf(7)), 'hash', both('the type of user:7:profile', 'kiểu của user:7:profile'))
  same(await redis.hgetall(keyOf(7)), OLD, both('the fields of the hash', 'các field của hash'))
})

check('profile-expires-after-an-hour', async ({ learner, redis, did }) => {
  did(both('saved a profile and looked at the expiry of its key', 'lưu một hồ sơ rồi xem thời hạn của key'))
  await givesAnHour(redis, 7, () => save(learner, 7, OLD), both('the time left for user:7:profile', 'thời gian sống còn lại của user:7:profile'))
})

check('update-sets-one-field', async ({ learner, redis, did }) => {
  did(both('saved a profile and updated a field twice, the second time with the same value, and once in its last half second',
    'lưu một hồ sơ rồi cập nhật một field hai lần, lần sau vẫn giá trị đó, và một lần trong nửa giây cuối của hồ sơ'))
  await save(learner, 7, OLD)
  for (let i = 0; i < 2; i++) {
    same(await update(learner, 7, 'city', 'Vinh'), true, both('the answer of the update', 'kết quả của lần cập nhật'))
    same(await read(learner, 7), { ...OLD, city: 'Vinh' }, both('the profile after it', 'hồ sơ sau đó'))
  }
  // To TTL, which rounds, a profile in its last half second has 0 seconds left. One that went meanwhile proves nothing.
  for (let round = 0, answer: unknown = false; answer !== true; round++) {
    await save(learner, 7, OLD)
    await redis.pexpire(keyOf(7), 490)
    answer = await update(learner, 7, 'city', 'Vinh')
    if (round < 8 && (await redis.exists(keyOf(7))) === 0) continue
    same(answer, true, both('the answer of an update in the last half second of a profile', 'kết quả của lần cập nhật trong nửa giây cuối của hồ sơ'))
  }
})

check('update-adds-a-new-field', async ({ learner, did }) => {
  did(both('updated a field that the profile did not have', 'cập nhật một field mà hồ sơ chưa có'))
  await save(learner, 7, OLD)
  const answer = await update(learner, 7, 'email', 'ann@example.org')
  same(await read(learner, 7), { ...OLD, email: 'ann@example.org' }, both('the profile', 'hồ sơ'))
  holds(Boolean(answer), both('the answer of the update', 'kết quả của lần cập nhật'), 'true', String(answer))
})

/**
 * Claims refuse bad input, pass failures on, set malformed entries aside, keep their keys in order, and cost one round trip.
 */
import { atMost, besideACutClient, both, check, commandsRun, holds, nextMoment, plantWrongType, refuses, rejects, same, settled, shown } from '#checks'
import { manyTexts, planter } from './plant.ts'
import { ack, add, addAll, allRecovered, claim, claimOne, lengthOf, nameOf, next, requeue, snapshot, task } from './queue.ts'
import { hasWrongType, plantWrongTypes } from './wrong-types.ts'

check('claims-pass-malformed-entries-over', async ({ learner, redis, did }) => {
  did(both('planted text that is no JSON at the head of task:queue and claimed', 'đặt văn bản không phải JSON vào đầu task:queue rồi nhận công việc'))
  const { plant, dead } = await planter(learner, redis)
  const texts = ['not a task', '{"name":"half', '{"name":NaN}', 'chưa xong', '']
  await plant(texts)
  const claimed = await claimOne(learner)
  same(nameOf(claimed.task), 'a', both('the claimed task', 'công việc nhận được'))
  same(await dead(), texts.toSorted(), both('what is in the list task:queue:dead', 'nội dung list task:queue:dead'))
  same(await ack(learner, claimed), true, both('its acknowledgement', 'lần xác nhận'))
  await plant(manyTexts)
  same(nameOf((await claimOne(learner)).task), 'b',
    both(`the task claimed behind ${manyTexts.length} malformed entries`, `công việc nhận được sau ${manyTexts.length} phần tử hỏng`))
  await nextMoment(redis)
  same(await requeue(learner, 0), 1, both('what requeueStale(0) resolved to with that one claim', 'kết quả của requeueStale(0) khi chỉ có lần nhận đó'))
  await allRecovered(learner, redis, ['b'], both('what is left', 'những gì còn lại'))
})

check('bad-claim-arguments-are-refused', async ({ learner, redis, did }) => {
  did(both('called the claim functions with arguments that are none', 'gọi các hàm nhận, xác nhận, trả lại với đối số không hợp lệ'))
  await addAll(learner, ['a', 'b'])
  same(await ack(learner, await claimOne(learner)), true, both('ackTask of a good claim', 'ackTask cho một lần nhận hợp lệ'))
  await claimOne(learner)
  await nextMoment(redis)
  for (const age of [2 ** 53, 1e300, 0.5]) await requeue(learner, age)
  const refused = async (name: string, value: unknown, classes: string[]): Promise<void> => {
    const call = `${name}(redis, ${shown(value)})`
    learner.wire.forget()
    await refuses(() => learner.call(name, learner.redis, value), classes, both(call, call))
    same(learner.wire.commands().length, 0, both(`commands sent by ${call}`, `số lệnh được gửi bởi ${call}`))
  }
  for (const value of [undefined, null, 42, {}, ['worker']]) await refused('claimTask', value, ['TypeError'])
  await refused('claimTask', '', ['RangeError', 'TypeError'])
  for (const value of [undefined, null, 42, {}]) await refused('ackTask', value, ['TypeError'])
  for (const value of [-1, -0.5, Infinity, -Infinity]) await refused('requeueStale', value, ['RangeError'])
  for (const value of [NaN, '60']) await refused('requeueStale', value, ['RangeError', 'TypeError'])
  for (const value of [undefined, null, true, {}, 60n]) await refused('requeueStale', value, ['TypeError'])
})

check('redis-failure-rejects', async ({ learner, did }) => {
  did(both('called every function with Redis out of reach, and meanwhile asked for the length with a client that reaches it',
    'gọi mọi hàm khi không kết nối được Redis, cùng lúc hỏi độ dài bằng một client còn kết nối'))
  const offline = await learner.withRedis({ reconnects: false, retriesPerRequest: 0 })
  await addAll(offline, ['a', 'b'])
  const { receipt } = await claimOne(offline)
  const length = await lengthOf(offline)
  const sound = await besideACutClient(offline, learner, lengthOf)
  same(sound, { value: length }, both('the length by a client whose connection is sound, when another loses its own',
    'độ dài qua client còn kết nối, khi một client khác mất kết nối'))
  const calls: [string, ...unknown[]][] =
    [['addTask', task('c')], ['getNextTask'], ['getQueueLength'], ['claimTask', 'worker-1'], ['ackTask', receipt], ['requeueStale', 0]]
  for (const [name, ...args] of calls) {
    await rejects(() => offline.call(name, offline.redis, ...args), both(`${name} while Redis is out of reach`, `${name} khi không kết nối được Redis`))
  }
})

check('failed-claim-command-rejects', async ({ learner, redis, did }) => {
  did(both('claimed a task, gave its keys another type, all at once and one by one, and called claimTask, ackTask and requeueStale',
    'nhận một công việc, đổi kiểu các key, tất cả cùng lúc rồi từng key một, và gọi claimTask, ackTask, requeueStale'))
  await addAll(learner, ['a', 'b'])
  const claimed = await claimOne(learner)
  await nextMoment(redis)
  const restore = await snapshot(redis)
  const keys = (await redis.keysBuffer('*')).toSorted((a, b) => a.compare(b))
  await plantWrongTypes(redis)
  await rejects(() => claim(learner), both('claimTask on keys of a wrong type', 'claimTask khi key sai kiểu'))
  // These need not run into it, but if the server says that a command failed, the caller must hear of it.
  const calls = [['ackTask', claimed.receipt], ['requeueStale', 0], ['claimTask', 'worker-1']] as const
  for (const wrong of [keys, ...keys.map((key) => [key])]) {
    for (const [name, argument] of calls) {
      await redis.flushdb()
      await restore()
      for (const key of wrong) await plantWrongType(redis, key)
      learner.wire.forget()
      const outcome = await settled(learner.call(name, learner.redis, argument))
      if (!learner.wire.commands().some(({ reply }) => hasWrongType(reply))) continue
      const where = wrong.map((key) => key.toString().slice(0, 40)).join(', ')
      holds('error' in outcome, both(`${name} when a command of it failed, with a wrong type at ${where}`, `${name} khi có lệnh bị lỗi, với ${where} sai kiểu`),
        both('a rejection', 'bị từ chối (reject)'), both('it resolved', 'lời gọi thành công'))
    }
  }
})

check('survives-an-emptied-script-cache', async ({ learner, redis, did }) => {
  did(both('emptied the script cache between the calls', 'xóa script cache giữa các lời gọi'))
  const flushed = async <T>(call: () => Promise<T>): Promise<T> => {
    await redis.script('FLUSH')
    return call()
  }
  for (let round = 0; round < 2; round++) {
    for (const name of ['a', 'b', 'c']) await flushed(() => add(learner, task(name)))
    same(await flushed(() => lengthOf(learner)), 3, both('the length', 'độ dài'))
    same((await flushed(() => next(learner))) === null, false, both('whether getNextTask gave null although tasks waited', 'getNextTask có trả về null dù còn công việc chờ'))
    const claimed = await flushed(() => claimOne(learner))
    same(await flushed(() => ack(learner, claimed)), true, both('the acknowledgement', 'lần xác nhận'))
    await flushed(() => claimOne(learner))
    await nextMoment(redis)
    same(await flushed(() => requeue(learner, 0)), 1, both('how many claims went back', 'số công việc được trả lại'))
    same((await flushed(() => next(learner))) === null, false, both('whether getNextTask gave null although tasks waited, after requeueStale', 'getNextTask có trả về null dù còn công việc chờ, sau requeueStale'))
  }
})

check('claim-keys-start-with-task', async ({ learner, redis, did }) => {
  did(both('claimed, acknowledged and put back tasks and looked at every key', 'nhận, xác nhận, trả lại công việc rồi xem mọi key'))
  await addAll(learner, ['a', 'b', 'c', 'd'])
  const named = async (): Promise<void> => {
    const keys = await redis.keys('*')
    holds(keys.length > 0, both('keys in Redis while tasks are there', 'số key trong Redis khi còn công việc'), '≥ 1', '0')
    for (const key of keys) holds(key.startsWith('task:'), both('the beginning of every key', 'phần đầu của mọi key'), 'task:', key.slice(0, 40))
  }
  await claimOne(learner)
  const second = await claimOne(learner, 'worker-2')
  await named()
  await ack(learner, second)
  await named()
  await nextMoment(redis)
  await requeue(learner, 0)
  await named()
})

check('claiming-is-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of claimTask, with tasks and without', 'đếm số lượt gửi–nhận của claimTask, khi có và không có công việc'))
  await addAll(learner, ['warm-up', 'a', 'b'])
  await claim(learner)
  for (const waits of [true, true, false]) {
    let claimed: unknown
    const { trips } = await learner.roundTrips(async () => { claimed = await claim(learner) })
    atMost(trips, 1, both('round trips of one claimTask', 'số lượt gửi–nhận của một lần claimTask'))
    same(Boolean(claimed), waits, both('whether claimTask gave a task', 'claimTask có trả về công việc'))
  }
})

check('acknowledging-is-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of ackTask', 'đếm số lượt gửi–nhận của ackTask'))
  await addAll(learner, ['warm-up', 'a', 'b'])
  await ack(learner, await claimOne(learner))
  const first = await claimOne(learner)
  const second = await claimOne(learner)
  for (const [claimed, answer] of [[first, true], [second, true], [first, false]] as const) {
    let got: boolean | undefined
    const { trips } = await learner.roundTrips(async () => { got = await ack(learner, claimed) })
    atMost(trips, 1, both('round trips of one ackTask', 'số lượt gửi–nhận của một lần ackTask'))
    same(got, answer, both('what ackTask resolved to', 'kết quả của ackTask'))
  }
})

check('never-searches-the-keys', async ({ learner, redis, did }) => {
  did(both('called every function and looked at what the server ran, inside scripts too',
    'gọi mọi hàm rồi xem những lệnh server đã chạy, kể cả trong script'))
  const answering = await commandsRun(redis, async () => {
    await addAll(learner, ['a', 'b', 'c'])
    same((await next(learner)) === null, false, both('whether getNextTask gave null although tasks waited', 'getNextTask có trả về null dù còn công việc chờ'))
    await lengthOf(learner)
    same(await ack(learner, await claimOne(learner)), true, both('the acknowledgement', 'lần xác nhận'))
    await claimOne(learner)
  })
  await nextMoment(redis)
  const requeueing = await commandsRun(redis, async () => {
    same(await requeue(learner, 0), 1, both('how many claims went back', 'số công việc được trả lại'))
  })
  // Putting back answers no user: walking step by step may be a way.
  const searching = [...answering, ...requeueing.filter((name) => name !== 'SCAN')]
    .filter((name) => ['KEYS', 'SCAN', 'FLUSHDB', 'FLUSHALL'].includes(name))
  same([...new Set(searching)], [], both('commands that go through the whole database', 'các lệnh duyệt toàn bộ database'))
})

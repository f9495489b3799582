/**
 * The cache only helps: when Redis rejects commands, the function is called once and its result returned, and nothing
 * is left unhandled. Only `invalidate` tells of the failure, for nobody else would.
 */
import { both, check, holds, rejects, same, settled, until, type Learner } from '#checks'
import { loader, settle, wrap, type Cached, type Loader } from './cached.ts'

const ANN = { id: 7, name: 'Ann' }
const LOST = { reconnects: false, retriesPerRequest: 0 }

check('works-without-redis', async ({ learner, did }) => {
  did(both('called with Redis out of reach', 'gọi khi không kết nối được Redis'))
  const offline = await learner.withRedis(LOST)
  const error = new Error('no such user')
  const load = loader(([id]) => {
    if (id === 'nobody') throw error
    return ANN
  })
  const cached = await wrap(offline, { name: 'user' }, load.fn)
  await worksAtFirst(cached, load)
  offline.wire.down()
  for (let id = 1; id <= 3; id++) {
    same(await cached.call(id), ANN, both('the result while Redis is out of reach', 'kết quả khi không kết nối được Redis'))
    same(load.calls.length, 1 + id, both(`calls of the function: one while Redis worked, ${id} without it`, `số lần hàm được gọi: một lần khi Redis còn hoạt động, ${id} lần khi không có Redis`))
  }
  const outcome = await settled(cached.call('nobody'))
  holds('error' in outcome && outcome.error.original === error, both('what a call rejects with when the function does', 'lỗi mà lời gọi trả về khi hàm báo lỗi'),
    both('the function\'s own error', 'đúng lỗi của hàm'), 'error' in outcome ? outcome.error.message.slice(0, 200) : both('no error', 'không có lỗi'))
  same(load.calls.length, 5, both('calls of the function in all, the last of which fails', 'tổng số lần hàm được gọi, lần cuối chính hàm báo lỗi'))
})

check('a-failed-write-costs-no-second-call', async ({ learner, did }) => {
  did(both('cut the connection off at the first command sent after the function was called', 'ngắt kết nối ở lệnh đầu tiên được gửi sau khi hàm được gọi'))
  const { cached, load } = await cutOffWhileRunning(await learner.withRedis(LOST))
  same(await cached.call(7), ANN, both('the result when it cannot be written', 'kết quả khi không ghi được vào cache'))
  same(load.calls.length, 2, both('calls of the function, one of them before', 'số lần hàm được gọi, tính cả một lần trước đó'))
})

check('a-failed-write-is-handled', async ({ learner, did }) => {
  did(both('cut the connection off at the first command sent after the function was called, and looked for rejections that nobody handles',
    'ngắt kết nối ở lệnh đầu tiên được gửi sau khi hàm được gọi, rồi tìm các promise bị từ chối mà không được xử lý'))
  const process = await learner.withRedis(LOST)
  const { cached } = await cutOffWhileRunning(process)
  await settled(cached.call(7))
  process.wire.down()
  for (let turns = 0; turns < 3; turns++) await process.host.idle()
  const [unhandled] = process.host.unhandled
  holds(unhandled === undefined, both('rejections that nobody handled', 'promise bị từ chối mà không được xử lý'), both('none', 'không có'), unhandled?.message.slice(0, 200) ?? '')
})

check('invalidate-rejects-without-redis', async ({ learner, did }) => {
  did(both('invalidated with Redis out of reach', 'gọi invalidate khi không kết nối được Redis'))
  const offline = await learner.withRedis(LOST)
  const cached = await wrap(offline, { name: 'user' }, loader(() => ANN).fn)
  for (const id of [7, 8]) await cached.call(id)
  same(Boolean(await cached.invalidate(7)), true, both('invalidate while Redis works', 'invalidate khi Redis còn hoạt động'))
  offline.wire.down()
  await rejects(() => cached.invalidate(8), both('invalidate while Redis is out of reach', 'invalidate khi không kết nối được Redis'))
})

check('survives-an-emptied-script-cache', async ({ learner, redis, did }) => {
  did(both('emptied the script cache between the calls', 'xóa script cache giữa các lời gọi'))
  const load = loader(() => ANN)
  const cached = await wrap(learner, { name: 'user' }, load.fn)
  for (const id of [1, 1, 2, 2]) {
    same(await cached.call(id), ANN, both('the result', 'kết quả'))
    await settle(learner)
    await redis.script('FLUSH')
  }
  same(load.calls.length, 2, both('calls of the function for two different arguments', 'số lần hàm được gọi cho hai tham số khác nhau'))
  same(Boolean(await cached.invalidate(2)), true, both('invalidate after SCRIPT FLUSH', 'invalidate sau SCRIPT FLUSH'))
})

check('caches-again-when-redis-is-back', async ({ learner, did }) => {
  did(both('called with Redis out of reach, then with Redis back', 'gọi khi không kết nối được Redis, rồi gọi khi Redis đã trở lại'))
  const process = await learner.withRedis({ retriesPerRequest: 0 })
  const load = loader(() => ANN)
  const cached = await wrap(process, { name: 'user' }, load.fn)
  await worksAtFirst(cached, load)
  process.wire.down()
  for (let id = 1; id <= 3; id++) await settled(cached.call(id))
  process.wire.up()
  await until(() => process.wire.open() > 0, both('the client to connect again', 'client kết nối lại'))
  await until(async () => {
    await cached.call('back')
    const before = load.calls.length
    await cached.call('back')
    return load.calls.length === before
  }, both('a second call with the same argument to be a hit again', 'lời gọi thứ hai với cùng tham số lại trúng cache'))
})

/** A wrapper that works, whose connection ends with the first command that follows on the function's next call. */
async function cutOffWhileRunning(process: Learner): Promise<{ cached: Cached; load: Loader<unknown> }> {
  const load = loader((_args, call) => {
    if (call === 2) process.wire.gate = () => 'cut'
    return ANN
  })
  const cached = await wrap(process, { name: 'user' }, load.fn)
  await worksAtFirst(cached, load)
  return { cached, load }
}

async function worksAtFirst(cached: Cached, load: Loader<unknown>): Promise<void> {
  same([await cached.call('first'), await cached.call('first')], [ANN, ANN], both('the results while Redis works', 'kết quả khi Redis còn hoạt động'))
  same(load.calls.length, 1, both('calls of the function while Redis works', 'số lần hàm được gọi khi Redis còn hoạt động'))
}

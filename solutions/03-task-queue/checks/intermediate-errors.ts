/**
 * One bad entry stops nobody and is kept for whoever looks into it; what is no task is refused before anything is sent;
 * failing commands reach the caller. Adding and taking cost one round trip, and nobody waits for somebody else.
 */
import { atMost, both, check, holds, refuses, rejects, same, settled, shown } from '#checks'
import { blockedOf, raced } from './blocked.ts'
import { manyTexts, planter } from './plant.ts'
import { add, addAll, lengthOf, nameOf, next, nextNames, task } from './queue.ts'
import { plantWrongTypes } from './wrong-types.ts'

check('malformed-entries-are-passed-over', async ({ learner, redis, did }) => {
  did(both('planted text that is no JSON at the head of task:queue and took tasks', 'đặt văn bản không phải JSON vào đầu task:queue rồi lấy công việc'))
  const { plant } = await planter(learner, redis)
  await plant(['not a task', '{"name":"half', '{"name":NaN}', '<task/>', ''])
  same(await nextNames(learner, 1), ['a'], both('the task behind five malformed entries', 'công việc nằm sau năm phần tử hỏng'))
  await plant(manyTexts)
  same(await nextNames(learner, 1), ['b'],
    both(`the task behind ${manyTexts.length} malformed entries`, `công việc nằm sau ${manyTexts.length} phần tử hỏng`))
  await plant(['not a task either'])
  same(await blockedOf(redis, next(learner), both('getNextTask', 'getNextTask')), null,
    both('what a queue gives that holds nothing but a malformed entry', 'kết quả khi hàng đợi chỉ có một phần tử hỏng'))
  await add(learner, task('c'))
  same(nameOf(await next(learner)), 'c', both('the next task', 'công việc tiếp theo'))
})

check('malformed-entries-are-kept', async ({ learner, redis, did }) => {
  did(both('planted text that is no JSON at the head of task:queue, took tasks and looked into task:queue:dead',
    'đặt văn bản không phải JSON vào đầu task:queue, lấy công việc rồi xem task:queue:dead'))
  const { plant, dead } = await planter(learner, redis)
  const texts = ['{"name":"half', 'chưa xong', ' spaces kept ', '{"name":0x10}', '']
  await plant(texts)
  await settled(next(learner))
  // Whoever stops at the first one has a check of its own.
  for (let i = 0; i < texts.length && (await lengthOf(learner)) > 1; i++) await settled(next(learner))
  same(await dead(), texts.toSorted(), both('what is in the list task:queue:dead', 'nội dung list task:queue:dead'))
})

check('bad-tasks-are-refused', async ({ learner, did }) => {
  did(both('added what is no object', 'thêm những giá trị không phải object'))
  await add(learner, task('good'))
  same(await lengthOf(learner), 1, both('the length after a good task', 'độ dài sau một công việc hợp lệ'))
  for (const value of [undefined, null, 42, 'text', '{"name":"text"}', true]) {
    const call = `addTask(redis, ${shown(value)})`
    learner.wire.forget()
    await refuses(() => learner.call('addTask', learner.redis, value), ['TypeError'], both(call, call))
    same(learner.wire.commands().length, 0, both(`commands sent by ${call}`, `số lệnh được gửi bởi ${call}`))
  }
})

check('failed-command-rejects', async ({ learner, redis, did }) => {
  did(both('gave every key of the queue another type', 'đổi kiểu mọi key của hàng đợi'))
  await addAll(learner, ['a', 'b'])
  same((await next(learner)) === null, false, both('whether getNextTask gave null although tasks waited, while all is well', 'getNextTask có trả về null dù còn công việc chờ, khi mọi thứ bình thường'))
  await plantWrongTypes(redis)
  await rejects(() => add(learner, task('c')), both('addTask on keys of a wrong type', 'addTask khi key sai kiểu'))
  await rejects(() => next(learner), both('getNextTask on keys of a wrong type', 'getNextTask khi key sai kiểu'))
  await rejects(() => learner.call('getQueueLength', learner.redis),
    both('getQueueLength on keys of a wrong type', 'getQueueLength khi key sai kiểu'))
})

check('nobody-is-held-up', async ({ learner, redis, did }) => {
  did(both('took a task from an empty queue and, on the same connection, added one and asked for the length',
    'lấy công việc từ hàng đợi rỗng, đồng thời thêm và hỏi độ dài trên cùng kết nối'))
  const taking = settled(next(learner))
  taking.catch(() => {})
  const others = (async () => {
    const added = await add(learner, task('a'))
    return { added, length: await lengthOf(learner) }
  })()
  const answered = await raced(redis, others, async () => {
    await learner.host.idle()
    const unanswered = learner.wire.commands().filter(({ reply }) => reply === null).map(({ connection }) => connection)
    return new Set(unanswered).size < unanswered.length
  })
  holds(answered, both('addTask and getQueueLength while somebody waits for a task on the same connection', 'addTask và getQueueLength khi có bên đang chờ công việc trên cùng kết nối'),
    both('an answer at once', 'trả lời ngay'), both('they wait too: the connection is blocked', 'cũng phải chờ: kết nối bị chặn'))
  const { added, length } = await others
  same(added, 1, both('what addTask resolved to', 'kết quả của addTask'))
  holds(length === 0 || length === 1, both('the length', 'độ dài'), '0 / 1', String(length))
  await taking
})

check('adding-is-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of addTask', 'đếm số lượt gửi–nhận của addTask'))
  await add(learner, task('warm-up'))
  await nextNames(learner, 1)
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    let length: unknown
    const { trips } = await learner.roundTrips(async () => { length = await add(learner, task(name)) })
    atMost(trips, 1, both('round trips of one addTask', 'số lượt gửi–nhận của một lần addTask'))
    same(Number(length), i + 1, both('what addTask resolved to', 'kết quả của addTask'))
  }
})

check('taking-is-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of getNextTask, with tasks and without', 'đếm số lượt gửi–nhận của getNextTask, khi có và không có công việc'))
  await addAll(learner, ['warm-up', 'a', 'b'])
  await nextNames(learner, 1)
  for (const waits of [true, true, false]) {
    let taken: unknown
    const { trips } = await learner.roundTrips(async () => { taken = await next(learner) })
    atMost(trips, 1, both('round trips of one getNextTask', 'số lượt gửi–nhận của một lần getNextTask'))
    same(Boolean(taken), waits, both('whether getNextTask gave a task', 'getNextTask có trả về công việc'))
  }
})

/**
 * What a queue is: tasks come out in the order they went in, as they went in, each once, equal ones too. An empty queue
 * says so at once. The length is the number of tasks that wait.
 */
import { both, check, nextMoment, same } from '#checks'
import { blockedOf } from './blocked.ts'
import { add, addAll, lengthOf, nameOf, next, nextNames, task } from './queue.ts'

check('first-in-first-out', async ({ learner, redis, did }) => {
  did(both('added five tasks, taking some in between', 'thêm năm công việc, xen kẽ với việc lấy ra'))
  const taken: unknown[] = []
  for (const name of ['echo', 'alfa', 'delta']) {
    await add(learner, task(name))
    await nextMoment(redis)
  }
  taken.push(nameOf(await next(learner)))
  for (const name of ['bravo', 'charlie']) {
    await add(learner, task(name))
    await nextMoment(redis)
  }
  taken.push(...(await nextNames(learner, 4)))
  same(taken, ['echo', 'alfa', 'delta', 'bravo', 'charlie'],
    both('the tasks, in the order they were delivered', 'các công việc theo thứ tự được giao'))
})

check('tasks-come-back-as-they-were', async ({ learner, did }) => {
  did(both('added a task with nested values and took it', 'thêm một công việc có giá trị lồng nhau rồi lấy ra'))
  const sent = { kind: 'email', to: ['ann@example.org', 'bob@example.org'], retries: 3, urgent: false, body: { lines: 2, footer: null } }
  await add(learner, sent)
  same(await next(learner), sent, both('the task', 'công việc nhận lại'))
})

check('equal-tasks-are-distinct', async ({ learner, redis, did }) => {
  did(both('added the same payload three times', 'thêm ba lần cùng một nội dung'))
  for (let i = 0; i < 3; i++) {
    await add(learner, task('same'))
    await nextMoment(redis)
  }
  same(await lengthOf(learner), 3, both('how many of three equal tasks wait', 'số công việc đang chờ sau khi thêm ba công việc giống nhau'))
  same(await nextNames(learner, 3), ['same', 'same', 'same'], both('the three of them', 'ba công việc lấy ra'))
})

check('empty-queue-gives-null-at-once', async ({ learner, redis, did }) => {
  did(both('asked an empty queue for a task, before any was added and after the last was taken',
    'lấy công việc từ hàng đợi rỗng, khi chưa thêm gì và sau khi đã lấy hết'))
  const ask = (): Promise<unknown> => blockedOf(redis, next(learner), both('getNextTask on an empty queue', 'getNextTask khi hàng đợi rỗng'))
  same(await ask(), null, both('what a queue gives that never had a task', 'kết quả từ hàng đợi chưa từng có công việc'))
  await add(learner, task('only'))
  same(nameOf(await next(learner)), 'only', both('the only task', 'công việc duy nhất'))
  same(await ask(), null, both('what the queue gives after its only task', 'kết quả sau khi đã lấy công việc duy nhất'))
})

check('adding-tells-the-length', async ({ learner, did }) => {
  did(both('added tasks, took one, added another', 'thêm công việc, lấy một, rồi thêm tiếp'))
  const lengths = [await add(learner, task('a')), await add(learner, task('b')), await add(learner, task('c'))]
  await next(learner)
  lengths.push(await add(learner, task('d')))
  same(lengths, [1, 2, 3, 3], both('what addTask resolved to', 'các kết quả của addTask'))
})

check('length-counts-what-waits', async ({ learner, did }) => {
  did(both('asked for the length before and after adding and taking', 'hỏi độ dài trước và sau khi thêm, lấy'))
  const ask = (): Promise<unknown> => learner.call('getQueueLength', learner.redis)
  const lengths = [await ask()]
  await addAll(learner, ['a', 'b'])
  lengths.push(await ask(), await ask())
  await next(learner)
  lengths.push(await ask())
  await next(learner)
  lengths.push(await ask())
  same(lengths, [0, 2, 2, 1, 0], both('the lengths', 'các độ dài'))
})

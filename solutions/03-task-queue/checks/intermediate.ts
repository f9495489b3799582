/**
 * The queue is Redis's, not one process's: many callers at once, many processes, every task to exactly one of them, in
 * order however fast they came. Keys are named; no task expires and none is dropped.
 */
import { both, check, holds, nextMoment, same, settled, storm, until, type Learner } from '#checks'
import { ack, add, addAll, claim, lengthOf, letExpire, nameOf, next, nextNames, requeue, task, type Claim } from './queue.ts'
import { addCopies } from './many-tasks.ts'
import { plantWrongTypes } from './wrong-types.ts'

check('each-task-to-one-caller', async ({ learner, did }) => {
  did(both('added 40 tasks and took 40 at once on one connection', 'thêm 40 công việc rồi lấy 40 lần cùng lúc trên một kết nối'))
  const names = Array.from({ length: 40 }, (_, i) => `task ${i}`)
  await addAll(learner, names)
  const taken = await storm(40, () => next(learner))
  same(taken.map(nameOf).map(String).toSorted(), names.toSorted(),
    both('what 40 callers got', 'những gì 40 lời gọi nhận được'))
  same(await lengthOf(learner), 0, both('how many tasks still wait', 'số công việc còn chờ'))
})

check('adding-at-once-loses-nothing', async ({ learner, did }) => {
  did(both('added 40 tasks at once on one connection', 'thêm 40 công việc cùng lúc trên một kết nối'))
  const names = Array.from({ length: 40 }, (_, i) => `task ${i}`)
  await storm(40, (i) => add(learner, task(names[i]!)))
  same(await lengthOf(learner), 40, both('how many tasks wait', 'số công việc đang chờ'))
  same((await nextNames(learner, 40)).map(String).toSorted(), names.toSorted(), both('the tasks', 'các công việc'))
})

check('processes-share-the-queue', async ({ learner, another, did }) => {
  did(both('added tasks in two processes and took them in turn in both', 'thêm công việc ở hai tiến trình, lần lượt lấy từ cả hai'))
  const other = await another()
  await addAll(learner, ['a', 'b', 'c'])
  const taken = [...(await nextNames(learner, 1)), ...(await nextNames(other, 1))]
  same(await lengthOf(other), 1, both('how many tasks wait, asked elsewhere', 'số công việc đang chờ, hỏi từ tiến trình khác'))
  await add(other, task('d'))
  taken.push(...(await nextNames(learner, 2)))
  same(taken, ['a', 'b', 'c', 'd'], both('the tasks, taken by two processes', 'các công việc do hai tiến trình lấy'))
  same(await lengthOf(learner), 0, both('how many tasks wait in the end', 'số công việc còn chờ cuối cùng'))
})

check('order-holds-however-fast', async ({ learner, did }) => {
  did(both('added tasks one right after the other and took them, then added 30 more at once', 'thêm công việc liên tiếp thật nhanh rồi lấy ra, sau đó thêm 30 công việc cùng lúc'))
  // More than ten, so that whoever compares numbers as text goes wrong; many, so that some share a millisecond.
  const names = Array.from({ length: 30 }, (_, i) => `task ${(i * 37) % 60} of 60`)
  await addAll(learner, names)
  same(await nextNames(learner, 30), names, both('the tasks, in the order they were delivered', 'các công việc theo thứ tự được giao'))
  const together = Array.from({ length: 30 }, (_, i) => `task ${(i * 7) % 30} of 30`)
  learner.wire.forget()
  await storm(30, (i) => add(learner, task(together[i]!)))
  const arrived = arrivals(learner, together)
  const taken = await nextNames(learner, 30)
  if (arrived) same(taken, arrived, both('tasks added at once, in the order in which they reached Redis', 'các công việc thêm cùng lúc, theo thứ tự đến Redis'))
})

check('any-json-comes-back', async ({ learner, did }) => {
  did(both('added tasks that are hard to carry and took them', 'thêm những công việc khó lưu trữ rồi lấy ra'))
  const tasks: [object, string, string][] = [
    [{}, 'nothing in it', 'nội dung rỗng'],
    [{ list: [], object: {}, both: [[], {}, [[]]], nothing: null }, 'empty lists and objects', 'mảng và object rỗng'],
    [{ large: 9007199254740991, small: 1e-7, sum: 0.1 + 0.2, negative: -12345678901234 }, 'numbers with many digits', 'số nhiều chữ số'],
    [{ text: 'Xin chào 👋\n"quoted"\t\u0000 \\ \u2028', 'kéy': 'ă', '': 1 }, 'unusual characters', 'ký tự đặc biệt'],
    [{ id: 'mine', receipt: 'mine', task: { task: 1 }, payload: 'p', data: [1], workerId: 7, claimedAt: 0, timestamp: 'then' },
      'fields named like those of an envelope', 'các field trùng tên với field của lớp bọc ngoài'],
    [{ at: '2026-01-02T03:04:05.678Z', day: '2026-01-02', big: '9007199254740993', yes: 'true' }, 'texts that read like dates and numbers', 'chuỗi trông giống ngày tháng và số'],
    [{ text: 'x'.repeat(20_000) }, 'a long text', 'chuỗi dài'],
    [{ a: { b: { c: { d: { e: { f: [{ g: [1, '1', true, 'true'] }] } } } } } }, 'nested values', 'giá trị lồng nhau'],
  ]
  for (const [sent, en, vi] of tasks) {
    await add(learner, sent)
    same(await next(learner), sent, both(`a task with ${en}`, `công việc với ${vi}`))
  }
})

check('keys-start-with-task', async ({ learner, redis, did }) => {
  did(both('added and took tasks and looked at every key', 'thêm và lấy công việc rồi xem mọi key'))
  await addAll(learner, ['a', 'b', 'c'])
  await next(learner)
  await lengthOf(learner)
  const keys = await redis.keys('*')
  holds(keys.length > 0, both('keys in Redis with two tasks waiting', 'số key trong Redis khi hai công việc đang chờ'), '≥ 1', '0')
  for (const key of keys) {
    holds(key.startsWith('task:'), both('the beginning of every key', 'phần đầu của mọi key'), 'task:', key.slice(0, 40))
  }
})

check('waiting-tasks-never-expire', async ({ learner, redis, did }) => {
  did(both('added four tasks, took one, then let every key expire that has an expiry',
    'thêm bốn công việc, lấy một, rồi cho hết hạn mọi key có thời hạn'))
  await addAll(learner, ['a', 'b', 'c', 'd'])
  const taken = await nextNames(learner, 1)
  const waiting = await lengthOf(learner)
  await letExpire(redis)
  same(await lengthOf(learner), waiting, both('how many of the other three tasks still wait', 'số công việc còn chờ trong ba công việc còn lại'))
  same([...taken, ...(await nextNames(learner, 3))].map(String).toSorted(), ['a', 'b', 'c', 'd'], both('the tasks', 'các công việc'))
})

check('queue-has-no-limit', async ({ learner, redis, did }) => {
  did(both('added more than a thousand tasks', 'thêm hơn một nghìn công việc'))
  await add(learner, task('first'))
  const count = await addCopies(learner, redis)
  same(await lengthOf(learner), count + 1, both(`the length after ${count + 1} tasks were added`, `độ dài sau khi thêm ${count + 1} công việc`))
  await add(learner, task('last'))
  same(await lengthOf(learner), count + 2, both('the length after one more', 'độ dài sau khi thêm một công việc nữa'))
  same(nameOf(await next(learner)), 'first', both('the task that was added first', 'công việc được thêm đầu tiên'))
})

check('no-leaked-connection', async ({ learner, redis, did }) => {
  did(both('called every function many times, also with a wrong type at every key, then counted the connections',
    'gọi mọi hàm nhiều lần, cả khi mọi key đều sai kiểu, rồi đếm số kết nối'))
  await storm(8, () => add(learner, task('a')))
  await storm(6, () => next(learner))
  await lengthOf(learner)
  // Whoever has not got to claims yet can still be tidy.
  await settled(claim(learner).then((claimed) => claimed && ack(learner, claimed)))
  const last = await settled(claim(learner))
  await settled(requeue(learner, 3_600_000))
  await nextMoment(redis)
  await settled(requeue(learner, 0))
  // With one task waiting and one claimed the keys of both are there.
  await addAll(learner, ['b', 'c'])
  await settled(claim(learner))
  await plantWrongTypes(redis)
  await settled(add(learner, task('d')))
  await settled(next(learner))
  await settled(lengthOf(learner))
  await settled(claim(learner))
  if ('value' in last && last.value) await settled(ack(learner, last.value as Claim))
  await settled(requeue(learner, 0))
  await until(() => learner.wire.open() === 1,
    both('the connections made by duplicate() to be closed', 'các kết nối tạo bằng duplicate() được đóng'), 1500)
})

/** The order in which tasks reached Redis, where one connection says it: each must have been sent in one command. */
function arrivals(learner: Learner, names: readonly string[]): string[] | null {
  const commands = learner.wire.commands()
  if (new Set(commands.map(({ connection }) => connection)).size !== 1) return null
  const texts = commands.map(({ words }) => words.join(' '))
  const found = texts.flatMap((text) => names.filter((name) => text.includes(name)))
  return found.length === names.length && new Set(found).size === names.length ? found : null
}

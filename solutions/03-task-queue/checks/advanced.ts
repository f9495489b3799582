/**
 * A claimed task waits no longer, but is not gone: acknowledged it is done, too old it goes back to the front. A receipt
 * stands for one claim, and is worth nothing once that claim has ended.
 */
import { both, check, holds, nextMoment, same, serverNow, serverReaches, shown } from '#checks'
import { blockedOf } from './blocked.ts'
import { earlyInASecond, timely } from './clock.ts'
import { ack, add, addAll, allRecovered, claim, claimOne, lengthOf, LONG_MS, nameOf, next, nextNames, requeue, task } from './queue.ts'

check('claims-give-receipt-and-task', async ({ learner, redis, did }) => {
  did(both('claimed three tasks, then asked again', 'nhận ba công việc rồi hỏi tiếp'))
  const sent = [{ ...task('a'), list: [], large: 9007199254740991 }, { ...task('b'), receipt: 'mine', task: {} }, task('c')]
  for (const one of sent) await add(learner, one)
  for (const one of sent) {
    const { receipt, task: given } = await claimOne(learner)
    holds(typeof receipt === 'string', both('the receipt', 'biên nhận'), both('a string', 'một chuỗi'), shown(receipt))
    same(given, one, both('the task of the claim', 'công việc nhận được'))
  }
  same(await blockedOf(redis, claim(learner), both('claimTask on an empty queue', 'claimTask khi hàng đợi rỗng')), null,
    both('a claim when nothing waits', 'kết quả nhận khi không còn công việc nào chờ'))
})

check('claimed-tasks-do-not-wait', async ({ learner, did }) => {
  did(both('claimed one of three tasks, asked for the length and took the others', 'nhận một trong ba công việc, hỏi độ dài rồi lấy các công việc còn lại'))
  await addAll(learner, ['a', 'b', 'c'])
  same(nameOf((await claimOne(learner)).task), 'a', both('the claimed task', 'công việc được nhận'))
  same(await lengthOf(learner), 2, both('the length with one of three claimed', 'độ dài khi một trong ba công việc đã được nhận'))
  same(await nextNames(learner, 2), ['b', 'c'], both('what getNextTask gives', 'kết quả của getNextTask'))
  same(await lengthOf(learner), 0, both('the length in the end', 'độ dài cuối cùng'))
})

check('acknowledged-tasks-are-done', async ({ learner, redis, did }) => {
  did(both('claimed two tasks, acknowledged one twice, and put back what was left', 'nhận hai công việc, xác nhận một công việc hai lần, rồi trả lại phần còn lại'))
  await addAll(learner, ['a', 'b'])
  const [first] = [await claimOne(learner), await claimOne(learner, 'worker-2')]
  same(await learner.call('ackTask', learner.redis, first.receipt), true, both('the first ackTask', 'ackTask lần đầu'))
  same(await learner.call('ackTask', learner.redis, first.receipt), false, both('ackTask with the same receipt again', 'ackTask lần nữa với cùng biên nhận'))
  await allRecovered(learner, redis, ['b'], both('what comes back of two claims, one acknowledged', 'những gì quay lại từ hai lần nhận, một lần đã xác nhận'))
})

check('old-receipts-acknowledge-nothing', async ({ learner, redis, did }) => {
  did(both('put a claimed task back, used its receipt, and again when another worker had claimed it',
    'trả lại công việc đã nhận, dùng biên nhận cũ, rồi dùng lại khi worker khác đã nhận công việc đó'))
  await add(learner, task('a'))
  const old = await claimOne(learner)
  await nextMoment(redis)
  await requeue(learner, 0)
  same(await ack(learner, old), false, both('ackTask after the task went back', 'ackTask sau khi công việc bị trả lại hàng đợi'))
  same(await lengthOf(learner), 1, both('how many tasks wait then', 'số công việc đang chờ khi đó'))
  const current = await claimOne(learner, 'worker-2')
  same(await ack(learner, old), false, both('ackTask with the old receipt when another worker holds the task', 'ackTask với biên nhận cũ khi worker khác đang giữ công việc'))
  same(await ack(learner, current), true, both('ackTask with the current receipt', 'ackTask với biên nhận hiện tại'))
})

check('equal-tasks-are-claimed-apart', async ({ learner, redis, did }) => {
  did(both('claimed three equal tasks, acknowledged one and put back the others', 'nhận ba công việc giống nhau, xác nhận một rồi trả lại các công việc kia'))
  for (let i = 0; i < 3; i++) await add(learner, task('same'))
  const claims = [await claimOne(learner), await claimOne(learner), await claimOne(learner)]
  same(await ack(learner, claims[1]!), true, both('the acknowledgement', 'lần xác nhận'))
  await allRecovered(learner, redis, ['same', 'same'], both('what comes back of the other two', 'những gì quay lại từ hai công việc kia'))
})

check('requeue-tells-how-many', async ({ learner, redis, did }) => {
  did(both('claimed four of five tasks, acknowledged one, and put back the others, twice; then claimed 120 tasks and put them back',
    'nhận bốn trong năm công việc, xác nhận một, rồi trả lại các công việc kia, hai lần; sau đó nhận 120 công việc rồi trả lại'))
  await addAll(learner, ['a', 'b', 'c', 'd', 'e'])
  const claims = [await claimOne(learner), await claimOne(learner), await claimOne(learner, 'worker-2'), await claimOne(learner)]
  await ack(learner, claims[1]!)
  await nextMoment(redis)
  const ask = (): Promise<unknown> => learner.call('requeueStale', learner.redis, 0)
  same([await ask(), await ask()], [3, 0], both('what requeueStale(0) resolved to, called twice', 'kết quả hai lần gọi requeueStale(0)'))
  same(await lengthOf(learner), 4, both('how many tasks wait then', 'số công việc đang chờ khi đó'))
  same(Number(await add(learner, task('f'))), 5, both('what addTask resolves to then', 'kết quả của addTask khi đó'))
  // More than commands and scripts move at a time by default.
  for (let i = 0; i < 115; i++) await add(learner, task(`many ${i}`))
  for (let i = 0; i < 120; i++) await claimOne(learner)
  await nextMoment(redis)
  same(await ask(), 120, both('what requeueStale(0) resolved to with 120 claims', 'kết quả của requeueStale(0) khi có 120 lần nhận'))
})

check('only-stale-claims-go-back', async ({ learner, redis, did }) => {
  did(both('claimed a task, another later, and put back what is as old as the first claim',
    'nhận một công việc, một lúc sau nhận công việc nữa, rồi trả lại những gì đã nhận lâu như công việc đầu'))
  await timely(async (spanMs) => {
    // What an earlier round left behind is done with.
    await requeue(learner, 0)
    await nextNames(learner, await lengthOf(learner))
    await addAll(learner, ['old', 'young'])
    await earlyInASecond(redis)
    await claimOne(learner)
    const old = await serverNow(redis)
    same(await requeue(learner, LONG_MS), 0, both(`what requeueStale(${LONG_MS}) resolved to right after a claim`, `kết quả của requeueStale(${LONG_MS}) ngay sau một lần nhận`))
    await serverReaches(redis, old + spanMs)
    const fresh = await serverNow(redis)
    await claimOne(learner)
    // The first claim is older than this for sure; the second is not, if the answer comes soon enough.
    const age = Math.floor((await serverNow(redis)) - old) - 3
    const count = await requeue(learner, age)
    if ((await serverNow(redis)) - fresh > age - 3) return 'too slow'
    same(count, 1, both(`how many of two claims are older than ${age} ms`, `số lần nhận đã quá ${age} ms trong hai lần`))
    same(await nextNames(learner, 1), ['old'], both('the task that went back', 'công việc được trả lại'))
    return 'done'
  })
}, { waits: true })

check('requeued-tasks-go-first', async ({ learner, redis, did }) => {
  did(both('claimed twelve of fourteen tasks and put them back', 'nhận mười hai trong mười bốn công việc rồi trả lại'))
  // Long names: a large hash or set of Redis does not keep the order in which it was filled.
  const names = Array.from({ length: 14 }, (_, i) => `task ${(i * 5) % 14} ${'x'.repeat(80)}`)
  for (const name of names) {
    await add(learner, task(name))
    await nextMoment(redis)
  }
  for (let i = 0; i < 12; i++) {
    await claimOne(learner, `worker-${(i * 7) % 12}`)
    await nextMoment(redis)
  }
  await requeue(learner, 0)
  same((await nextNames(learner, 14)).map(short), names.map(short),
    both('the tasks: twelve put back in the order they were claimed, then those that waited', 'các công việc: mười hai công việc được trả lại theo thứ tự đã nhận, rồi đến các công việc đang chờ'))
  // What went back waits, and so comes behind what goes back later.
  await addAll(learner, ['x', 'y', 'z'])
  for (const claims of [2, 1]) {
    for (let i = 0; i < claims; i++) await claimOne(learner)
    await nextMoment(redis)
    await requeue(learner, 0)
  }
  same(await nextNames(learner, 3), ['x', 'y', 'z'], both('x and y put back, then x once more', 'x và y được trả lại, rồi x lần nữa'))
  const hard = { list: [], object: {}, large: 9007199254740991, sum: 0.1 + 0.2, text: 'ă👋', nothing: null }
  await add(learner, hard)
  const untouched = await next(learner)
  await add(learner, hard)
  await claimOne(learner)
  await nextMoment(redis)
  await requeue(learner, 0)
  same(await next(learner), untouched, both('a task that was put back, beside one that was never claimed', 'một công việc được trả lại, so với một công việc chưa từng được nhận'))
})

check('any-worker-id-works', async ({ learner, redis, did }) => {
  did(both('claimed, acknowledged and put back as workers with unusual names', 'nhận, xác nhận và trả lại với những worker có tên khác thường'))
  const ids = ['a:b', ':', ' ', '*', '{a}', 'a|b,c', 'ă', '__proto__', '"', '0', '@', 'x'.repeat(300)]
  for (const id of ids) {
    await add(learner, task(id))
    same(await ack(learner, await claimOne(learner, id)), true, both(`ackTask of a claim by the worker ${shown(id.slice(0, 20))}`, `ackTask cho lần nhận của worker ${shown(id.slice(0, 20))}`))
  }
  await addAll(learner, ids)
  for (const id of ids) await claimOne(learner, id)
  await allRecovered(learner, redis, ids, both('the tasks that come back', 'các công việc quay lại'))
})

const short = (name: unknown): string => String(name).slice(0, 8).trim()

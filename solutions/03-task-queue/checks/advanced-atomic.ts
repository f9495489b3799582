/**
 * Nothing in between: in every order of concurrent calls a task has one owner, and a crash, a death or a lost reply at any
 * moment loses none.
 */
import { both, check, CheckFailed, nextMoment, same, settled, shown } from '#checks'
import { ack, addAll, allRecovered, claim, claimOne, lengthOf, letExpire, nameOf, next, nextNames, recovered, requeue, snapshot, warmUp, type Claim } from './queue.ts'

check('claims-are-atomic', async ({ learner, redis, schedules, did }) => {
  did(both('two processes claim and a third takes a task at once, in every order of their commands',
    'hai tiến trình cùng nhận và một tiến trình cùng lấy công việc, theo mọi thứ tự lệnh có thể'))
  await warmUp(learner)
  await addAll(learner, ['a', 'b', 'c'])
  const restore = await snapshot(redis)
  await schedules.explore({
    open: warmUp,
    setup: restore,
    callers: [(caller) => claim(caller), (caller) => claim(caller), (caller) => next(caller)],
    names: [both('claim A', 'lần nhận A'), both('claim B', 'lần nhận B'), both('getNextTask', 'getNextTask')],
    holds: (results) => {
      throwErrors(results)
      const [one, two, taken] = results as [Claim | null, Claim | null, unknown]
      same([one?.task, two?.task, taken].map(nameOf).map(String).toSorted(), ['a', 'b', 'c'],
        both('what three callers got of three tasks', 'những gì ba lời gọi nhận được từ ba công việc'))
    },
  })
})

check('acknowledging-and-requeueing-agree', async ({ learner, redis, schedules, did }) => {
  did(both('one process acknowledges a task while another puts it back, in every order of their commands',
    'một tiến trình xác nhận công việc trong khi tiến trình khác trả lại nó, theo mọi thứ tự lệnh có thể'))
  await addAll(learner, ['a', 'b'])
  const claimed = await claimOne(learner)
  await nextMoment(redis)
  const restore = await snapshot(redis)
  await schedules.explore({
    open: warmUp,
    setup: restore,
    callers: [(caller) => ack(caller, claimed), (caller) => requeue(caller, 0)],
    names: [both('ackTask', 'ackTask'), both('requeueStale', 'requeueStale')],
    holds: async (results) => {
      throwErrors(results)
      const [done, back] = [results[0] === true, Number(results[1])]
      const length = await lengthOf(learner)
      const expected = done ? { back: 0, length: 1 } : { back: 1, length: 2 }
      if (back === expected.back && length === expected.length) return
      throw new CheckFailed(both(
        `ackTask said ${String(done)}, requeueStale that ${back} went back, and then ${length} of two tasks wait.`,
        `ackTask trả về ${String(done)}, requeueStale báo đã trả lại ${back}, sau đó ${length} trong hai công việc đang chờ.`),
      { expected: shown(expected), got: shown({ back, length }) })
    },
  })
})

check('stale-claims-go-back-once', async ({ learner, redis, schedules, did }) => {
  did(both('two processes put back the same two claims at once, in every order of their commands',
    'hai tiến trình cùng trả lại hai công việc đã nhận, theo mọi thứ tự lệnh có thể'))
  await addAll(learner, ['a', 'b'])
  for (let i = 0; i < 2; i++) await claimOne(learner)
  await nextMoment(redis)
  const restore = await snapshot(redis)
  await schedules.explore({
    open: warmUp,
    setup: restore,
    callers: [(caller) => requeue(caller, 0), (caller) => requeue(caller, 0)],
    holds: async (results) => {
      throwErrors(results)
      same(results.reduce((sum: number, count) => sum + Number(count), 0), 2, both('what the two calls resolved to, added up', 'tổng kết quả của hai lời gọi'))
      same(await lengthOf(learner), 2,
        both('how many tasks wait after two calls put two claims back', 'số công việc đang chờ sau khi hai lời gọi trả lại hai công việc'))
      same((await nextNames(learner, 2)).map(String).toSorted(), ['a', 'b'], both('the tasks', 'các công việc'))
    },
  })
})

check('crash-in-a-claim-loses-nothing', async ({ learner, redis, cuts, did }) => {
  did(both('cut the connection after each command of a claim, then put back what had been claimed',
    'cắt kết nối sau từng lệnh của một lần nhận, rồi trả lại những gì đã được nhận'))
  await warmUp(learner)
  await addAll(learner, ['warm-up', 'a', 'b'])
  const restore = await snapshot(redis)
  await cuts.explore({
    setup: restore,
    open: warmUp,
    call: (caller) => claim(caller),
    audit: () => allRecovered(learner, redis, ['a', 'b', 'warm-up'], both('the three tasks after the crash', 'ba công việc sau khi sập')),
  })
})

check('crash-in-a-requeue-loses-nothing', async ({ learner, redis, cuts, did }) => {
  did(both('cut the connection after each command of requeueStale', 'cắt kết nối sau từng lệnh của requeueStale'))
  await addAll(learner, ['a', 'b', 'c'])
  for (let i = 0; i < 2; i++) await claimOne(learner)
  await nextMoment(redis)
  const restore = await snapshot(redis)
  await cuts.explore({
    setup: restore,
    call: (caller) => requeue(caller, 0),
    audit: async () => {
      const found = new Set(await recovered(learner, redis, ['a', 'b', 'c']))
      same([...found], ['a', 'b', 'c'], both('the three tasks after the crash', 'ba công việc sau khi sập'))
    },
  })
})

check('killed-worker-loses-nothing', async ({ learner, another, redis, did }) => {
  did(both('killed a worker\'s process (SIGKILL) that had claimed two tasks, and put them back from another',
    'dừng đột ngột (SIGKILL) tiến trình của worker đã nhận hai công việc, rồi trả lại từ tiến trình khác'))
  const worker = await another()
  await addAll(worker, ['a', 'b', 'c'])
  for (let i = 0; i < 2; i++) await claimOne(worker, 'worker-1')
  await worker.kill()
  await allRecovered(learner, redis, ['a', 'b', 'c'], both('the tasks after the death of the worker', 'các công việc sau khi worker chết'))
})

check('lost-reply-loses-no-task', async ({ learner, redis, did }) => {
  did(both('lost the reply to each command of a claim: the server had run it, the client connected and sent it again',
    'làm mất phản hồi của từng lệnh trong một lần nhận: server đã thực hiện, client kết nối lại và gửi lần nữa'))
  await addAll(learner, ['(warm-up)', '(warm-up)'])
  await ack(learner, await claimOne(learner))
  learner.wire.forget()
  const known = await claimOne(learner)
  const frames = learner.wire.commands().length
  await ack(learner, known)
  for (let lost = 0; lost < frames; lost++) {
    const client = await learner.withRedis()
    await addAll(client, ['(warm-up)', 'a', 'b', 'c'])
    await ack(client, await claimOne(client))
    let replies = 0
    client.wire.replyGate = () => (replies++ === lost ? 'lose' : 'pass')
    const outcome = await settled(claim(client))
    client.wire.replyGate = null
    // Whatever the caller was given is done; everything else must still be there.
    const claimed = 'value' in outcome ? (outcome.value as Claim | null) : null
    if (claimed) same(await ack(learner, claimed), true, both('the acknowledgement of what the caller was given', 'lần xác nhận công việc mà bên gọi nhận được'))
    await allRecovered(learner, redis, ['a', 'b', 'c'].filter((name) => name !== nameOf(claimed?.task)),
      both('the tasks besides the one that the caller was given and has acknowledged', 'các công việc còn lại, ngoài công việc mà bên gọi nhận được và đã xác nhận'))
  }
})

check('claimed-tasks-never-expire', async ({ learner, redis, did }) => {
  did(both('put a claimed task back, claimed it and two more, acknowledged one, let every key expire that has an expiry, and claimed the others',
    'trả lại một công việc đã nhận, nhận lại nó và hai công việc nữa, xác nhận một, cho hết hạn mọi key có thời hạn, rồi nhận các công việc còn lại'))
  await addAll(learner, ['a', 'b', 'c', 'd', 'e'])
  await claimOne(learner)
  await nextMoment(redis)
  await requeue(learner, 0)
  const claims = [await claimOne(learner), await claimOne(learner), await claimOne(learner)]
  const done = claims[1]!
  await ack(learner, done)
  await letExpire(redis)
  // They must not come under receipts that are in use.
  for (let i = 0; i < 2; i++) await claim(learner)
  const left = ['a', 'b', 'c', 'd', 'e'].filter((name) => name !== nameOf(done.task))
  await allRecovered(learner, redis, left, both('the tasks that are still there', 'các công việc vẫn còn'))
})

function throwErrors(results: readonly unknown[]): void {
  for (const result of results) if (result instanceof Error) throw result
}

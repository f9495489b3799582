/**
 * Every step is one step on the server: taking the lock, counting its token, freeing and extending it. No other command
 * comes in between, and no crash leaves half of it behind.
 */
import { both, check, CheckFailed, holds, type Instance, type Learner, LearnerError } from '#checks'
import { acquires, extend, leaseKeys, leasesEnd, lockOf, LONG_MS, releases, timeLeft, tokenOf } from './lease.ts'

const OWNERS = [
  both('the first owner', 'bên giữ khóa đầu'),
  both('the next owner, once the lease has ended', 'bên tiếp theo, khi thời hạn vừa hết'),
]

check('acquire-is-atomic', async ({ schedules, did }) => {
  did(both('two processes ask for a free lock, in every order of their commands',
    'hai tiến trình cùng xin một khóa rảnh, theo mọi thứ tự lệnh có thể'))
  await schedules.explore({
    open: (caller) => lockOf(caller, 'orders', { ttlMs: LONG_MS }),
    callers: [(_, lock) => acquires(lock), (_, lock) => acquires(lock)],
    limit: 100,
    holds: (results) => {
      for (const result of results) if (result instanceof LearnerError) throw result
      if (results.filter((result) => result === true).length <= 1) return
      throw new CheckFailed(both('Two processes both got the lock.', 'Hai tiến trình đều lấy được khóa.'),
        { expected: '1', got: '2' })
    },
  })
})

check('release-is-atomic', async ({ learner, schedules, redis, did }) => {
  did(both('an owner releases while its lease ends and another takes the lock, in every order of the commands',
    'bên giữ khóa gọi release đúng lúc thời hạn kết thúc và bên khác lấy khóa, theo mọi thứ tự lệnh có thể'))
  const keys = await leaseKeys(redis, await lockOf(learner, 'orders'))
  const locks: Promise<Instance>[] = []
  await schedules.explore({
    open: (caller) => (locks[locks.length] = lockOf(caller, 'orders', { ttlMs: LONG_MS })),
    setup: async () => { await acquires(await locks[0]!) },
    callers: [
      (_, lock) => releases(lock),
      (caller, lock) => afterTheLease(caller, () => leasesEnd(redis, keys), () => acquires(lock)),
    ],
    names: OWNERS,
    limit: 60,
    holds: async ([, taken]) => {
      if (taken !== true || (await releases(await locks[1]!))) return
      throw new CheckFailed(both(
        'The next owner released its lock, and release did not say true. Either the first owner, whose lease had ended, had freed that lock, or release never says true.',
        'Bên tiếp theo trả khóa của mình mà release không trả về true. Hoặc bên đầu, đã hết thời hạn, đã trả mất khóa đó, hoặc release không bao giờ trả về true.'),
      { expected: 'true', got: 'false' })
    },
  })
})

check('extend-is-atomic', async ({ learner, schedules, redis, did }) => {
  did(both('an owner extends while its lease ends and another takes the lock, in every order of the commands',
    'bên giữ khóa gọi extend đúng lúc thời hạn kết thúc và bên khác lấy khóa, theo mọi thứ tự lệnh có thể'))
  const keys = await leaseKeys(redis, await lockOf(learner, 'orders'))
  const locks: Promise<Instance>[] = []
  await schedules.explore({
    open: (caller) => (locks[locks.length] = lockOf(caller, 'orders', { ttlMs: LONG_MS })),
    setup: async () => { await acquires(await locks[0]!) },
    callers: [
      (_, lock) => extend(lock, 5000),
      (caller, lock) => afterTheLease(caller, () => leasesEnd(redis, keys), () => acquires(lock)),
    ],
    names: OWNERS,
    limit: 60,
    holds: async ([, taken]) => {
      const left = Math.min(...await timeLeft(redis, keys))
      if (taken !== true || left > 5000) return
      throw new CheckFailed(both(
        'The first owner changed the lease of the next one: its own had ended in the meantime.',
        'Bên giữ khóa đầu đã thay đổi thời hạn của bên tiếp theo: thời hạn của nó đã kết thúc từ trước đó.'),
      { expected: '> 5000 ms', got: left === -1 ? both('no expiry', 'không có thời hạn') : `${left} ms` })
    },
  })
})

check('tokens-follow-ownership', async ({ learner, schedules, redis, did }) => {
  did(both('two processes take the lock, one when the lease of the other has ended or the other has released it, in every order of their commands',
    'hai tiến trình lần lượt lấy khóa, bên này khi thời hạn của bên kia đã hết hoặc bên kia đã trả khóa, theo mọi thứ tự lệnh có thể'))
  const keys = await leaseKeys(redis, await lockOf(learner, 'orders'))
  const token = async (lock: Instance): Promise<number | null> => ((await acquires(lock)) ? tokenOf(lock) : null)
  let ended = 0
  await schedules.explore({
    open: (caller) => lockOf(caller, 'orders', { ttlMs: LONG_MS }),
    setup: async () => { ended = 0 },
    callers: [
      (_, lock) => token(lock),
      (caller, lock) => afterTheLease(caller, async () => { ended = await leasesEnd(redis, keys) }, async () => {
        const own = await token(lock)
        await releases(lock)
        return own
      }),
    ],
    limit: 60,
    holds: ([a, b]) => {
      if (typeof a !== 'number' || typeof b !== 'number') return
      // A had the lock before B if there was a lease to end; otherwise A got it when B had released it.
      const [first, second] = ended > 0 ? [a, b] : [b, a]
      if (first < second) return
      throw new CheckFailed(
        both('An owner got a token that is not higher than that of the owner before it.',
          'Bên giữ khóa sau nhận token không lớn hơn token của bên trước.'),
        { expected: `> ${first}`, got: String(second) })
    },
  })
})

check('crash-blocks-nobody', async ({ learner, cuts, redis, did }) => {
  did(both('cut the connection after each command of acquire, let the time pass and asked for the lock',
    'cắt kết nối sau từng lệnh của acquire, để thời gian trôi qua rồi xin khóa'))
  const other = await lockOf(learner, 'orders')
  await cuts.explore({
    open: (caller) => lockOf(caller, 'orders', { ttlMs: LONG_MS }),
    call: (_, lock: Instance) => lock.call('acquire'),
    audit: async () => {
      await leasesEnd(redis)
      holds(await acquires(other),
        both('the lock after a crash in acquire, its lease long over',
          'khóa sau khi sập giữa acquire, đã quá thời hạn từ lâu'),
        both('free', 'rảnh'), both('still held: nobody gets it ever again', 'vẫn bị giữ: không ai lấy được nữa'))
    },
  })
})

/** The lease ends at the very moment at which the first command of `call` reaches Redis. */
async function afterTheLease<T>(caller: Learner, end: () => Promise<unknown>, call: () => Promise<T>): Promise<T> {
  const { wire } = caller
  const schedule = wire.gate!
  let ended = false
  wire.gate = async (command) => {
    const verdict = await schedule(command)
    if (!ended) {
      ended = true
      await end()
    }
    return verdict
  }
  return call()
}

/**
 * What a limiter is: it admits up to the limit, then refuses; every user has a limit of their own;
 * it says how many calls are left and when the next one is free.
 */
import { both, check, holds, nextMoment, same } from '#checks'
import { LONG_MS, phaseBetween } from './clock.ts'

check('admits-up-to-the-limit', async ({ learner, redis, did }) => {
  did(both('called isAllowed five times with a limit of 3', 'gọi isAllowed năm lần với hạn mức 3'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 3, windowMs: LONG_MS })
  const answers: unknown[] = []
  for (let i = 0; i < 5; i++) {
    answers.push(await limiter.call('isAllowed', 'ann'))
    await nextMoment(redis)
  }
  same(answers, [true, true, true, false, false], both('the answers of five calls', 'kết quả của năm lời gọi'))
})

check('remaining-counts-down', async ({ learner, redis, did }) => {
  did(both('asked for the remaining calls before and after each call, with a limit of 3', 'hỏi số lượt còn lại trước và sau mỗi lời gọi, hạn mức 3'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 3, windowMs: LONG_MS })
  const left: unknown[] = [await limiter.call('getRemainingRequests', 'ann')]
  for (let i = 0; i < 4; i++) {
    await limiter.call('isAllowed', 'ann')
    await nextMoment(redis)
    left.push(await limiter.call('getRemainingRequests', 'ann'))
  }
  same(left, [3, 2, 1, 0, 0], both('the remaining calls', 'số lượt còn lại'))
})

check('users-have-their-own-limit', async ({ learner, did }) => {
  did(both('used up a limit of 1 of ann, called for bob and asked what remains for cem', 'dùng hết hạn mức 1 của ann, gọi cho bob rồi hỏi số lượt còn lại của cem'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 1, windowMs: LONG_MS })
  await limiter.call('isAllowed', 'ann')
  same(await limiter.call('isAllowed', 'bob'), true, both('the first call of bob', 'lời gọi đầu tiên của bob'))
  same(await limiter.call('getRemainingRequests', 'cem'), 1, both('what remains for cem, who never called', 'số lượt còn lại của cem, người chưa gọi lần nào'))
})

check('reset-is-zero-while-a-slot-is-free', async ({ learner, did }) => {
  did(both('asked for the reset time before any call, and after one call with a limit of 2', 'hỏi thời gian chờ khi chưa gọi lần nào, và sau một lời gọi với hạn mức 2'))
  const limiter = await learner.make('RateLimiter', learner.redis, { maxRequests: 2, windowMs: LONG_MS })
  same(await limiter.call('getResetTime', 'ann'), 0, both('the reset time before any call', 'thời gian chờ khi chưa gọi lần nào'))
  await limiter.call('isAllowed', 'ann')
  same(await limiter.call('getResetTime', 'ann'), 0, both('the reset time with one slot free', 'thời gian chờ khi còn một lượt'))
})

check('defaults-are-ten-per-minute', async ({ learner, redis, did }) => {
  did(both('made a limiter without options, called it eleven times and asked for the reset time', 'tạo bộ giới hạn không có tùy chọn, gọi mười một lần rồi hỏi thời gian chờ'))
  const limiter = await learner.make('RateLimiter', learner.redis)
  await phaseBetween(redis, 60_000, 0, 0.98)
  const answers: unknown[] = []
  for (let i = 0; i < 11; i++) {
    answers.push(await limiter.call('isAllowed', 'ann'))
    await nextMoment(redis)
  }
  same(answers.filter((answer) => answer === true).length, 10, both('admissions of eleven calls', 'số lời gọi được nhận trong mười một lời gọi'))
  const reset = Number(await limiter.call('getResetTime', 'ann'))
  holds(reset > 55 && reset <= 61, both('the reset time of a minute just used up', 'thời gian chờ khi vừa dùng hết hạn mức của một phút'), both('about 60 s', 'khoảng 60 s'), `${reset} s`)
})

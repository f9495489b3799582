import type { Redis } from 'ioredis'
import { storm, type Command, type Learner } from '#checks'
import { add, lengthOf, task } from './queue.ts'

/** More than the lengths to which queues are usually cut. */
const COPIES = 10_500

/** By calls there are at most this many: less proves less, but is never unfair. */
const BY_CALLS = 1100

/**
 * The fastest way to many tasks: the learner's code adds one, and the server repeats what was sent. Where such copies do
 * not count, because every task has a name of its own, there are fewer, by calls. Returns how many were added.
 */
export async function addCopies(learner: Learner, redis: Redis): Promise<number> {
  const before = await lengthOf(learner)
  learner.wire.forget()
  await add(learner, task('more'))
  const frames = learner.wire.commands().filter(({ name, reply }) => name !== 'MULTI' && name !== 'EXEC' && reply?.type !== 'error')
  await repeat(redis, frames, 3)
  const few = (await lengthOf(learner)) - before
  if (few !== 4) {
    for (let done = 0; done < BY_CALLS; done += 100) await storm(100, () => add(learner, task('more')))
    return few + BY_CALLS
  }
  await repeat(redis, frames, COPIES)
  return few + COPIES
}

/** A script cannot run another one. Whatever cannot be repeated does not count, which is all that matters. */
async function repeat(redis: Redis, frames: readonly Command[], times: number): Promise<void> {
  if (!frames.some(({ name }) => /^(EVAL|FCALL)/.test(name))) {
    const words = frames.map((frame) => frame.words.map((word) => word.toString('utf8')))
    await redis.eval(REPEAT, 0, times, JSON.stringify(words)).catch(() => {})
    return
  }
  for (let done = 0; done < times; done += 2500) {
    const pipeline = redis.pipeline()
    for (let i = done; i < Math.min(times, done + 2500); i++) {
      for (const { words } of frames) pipeline.call(words[0]!.toString(), ...words.slice(1))
    }
    await pipeline.exec()
  }
}

/** ARGV[1] how often · ARGV[2] the commands, as JSON */
const REPEAT = `
  local frames = cjson.decode(ARGV[2])
  for _ = 1, tonumber(ARGV[1]) do
    for _, frame in ipairs(frames) do redis.call(unpack(frame)) end
  end
`

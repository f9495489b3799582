import type { Redis } from 'ioredis'
import { storm, type Learner } from '#checks'
import { countOf, topOf, view } from './calls.ts'

/** Ids of the articles begin here: all have as many digits, for those who pad or compare them. */
const FIRST = 1_000_000

/** At most this many by calls, where copies do not do: less proves less, but is never unfair. */
const BY_CALLS = 2000

/**
 * Has more articles viewed, once each, until there are `want` instead of `have`; returns how many there are.
 * One view is made by the learner's code; the server then repeats what was sent with the ids exchanged, which is a
 * hundred times as fast as as many calls. Code whose commands do not name the article in digits is called instead.
 */
export async function growTo(learner: Learner, redis: Redis, { have, want }: { have: number; want: number }): Promise<number> {
  const model = FIRST + have
  learner.wire.forget()
  await view(learner, model)
  const frames = learner.wire.commands()
    .filter(({ name }) => name !== 'MULTI' && name !== 'EXEC')
    .map(({ words }) => words.map((word) => word.toString('latin1')))
  const last = FIRST + want - 1
  if ((await copied(redis, frames, model, last)) && (await areViews(learner, last, want))) return want
  const called = Math.min(want, BY_CALLS)
  for (let done = have + 1; done < called; done += 100) {
    await storm(Math.min(100, called - done), (i) => view(learner, FIRST + done + i))
  }
  return called
}

/** The copies are views like any other: counted, and in the ranking. */
async function areViews(learner: Learner, last: number, want: number): Promise<boolean> {
  const some = Math.min(want, 1000)
  return (await countOf(learner, last)) === 1 && (await topOf(learner, some)).length === some
}

async function copied(redis: Redis, frames: readonly string[][], model: number, last: number): Promise<boolean> {
  try {
    // A script cannot run another one.
    if (frames.some(([name]) => /^(EVAL|FCALL)/i.test(name!))) await copyOneByOne(redis, frames, model, last)
    else await redis.eval(COPY, 0, model, last, JSON.stringify(frames))
    return true
  } catch {
    return false
  }
}

/** ARGV[1] the model's id · ARGV[2] the last id · ARGV[3] the commands of one view, as JSON */
const COPY = `
  local frames = cjson.decode(ARGV[3])
  for id = ARGV[1] + 1, ARGV[2] do
    local digits = string.format('%d', id)
    for _, frame in ipairs(frames) do
      local words = {}
      for i, word in ipairs(frame) do words[i] = string.gsub(word, ARGV[1], digits) end
      redis.call(unpack(words))
    end
  end
`

async function copyOneByOne(redis: Redis, frames: readonly string[][], model: number, last: number): Promise<void> {
  const commands: string[][] = []
  for (let id = model + 1; id <= last; id++) {
    for (const frame of frames) commands.push(frame.map((word) => word.replaceAll(String(model), String(id))))
  }
  const replies = (await redis.pipeline(commands).exec()) ?? []
  for (const [error] of replies) if (error) throw error
}

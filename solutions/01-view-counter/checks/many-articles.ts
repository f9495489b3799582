import type { Redis } from 'ioredis'
import { storm, type Learner } from '#checks'
import { commandsOf, countOf, topOf, view } from './calls.ts'

/** Has articles viewed, once each, until there are `want` instead of `have`; returns how many there are. */
export type Grow = (have: number, want: number) => Promise<number>

/** Ids of the articles begin here: all have as many digits, for those who pad or compare them. */
const FIRST = 1_000_000

/** By calls there are at most this many: less proves less, but is never unfair. */
const BY_CALLS = 2000

/**
 * The fastest way to many articles. The learner's code makes one view, and the server repeats what was sent with the
 * ids exchanged: a hundred times as fast as as many calls. Where such copies do not count, there are fewer, by calls.
 * Leaves the database empty.
 */
export async function howToGrow(learner: Learner, redis: Redis): Promise<Grow> {
  await growByCopies(learner, redis, 0, 4)
  const top = await topOf(learner, 4)
  const ranked = top.length === 4 && top.every(({ views }) => views === 1)
  const copiesCount = ranked && (await countOf(learner, FIRST + 3)) === 1
  await redis.flushdb()
  if (copiesCount) return (have, want) => growByCopies(learner, redis, have, want)
  return (have, want) => growByCalls(learner, have, Math.min(want, BY_CALLS))
}

async function growByCalls(learner: Learner, have: number, want: number): Promise<number> {
  for (let done = have; done < want; done += 100) {
    await storm(Math.min(100, want - done), (i) => view(learner, FIRST + done + i))
  }
  return want
}

async function growByCopies(learner: Learner, redis: Redis, have: number, want: number): Promise<number> {
  const model = FIRST + have
  const frames = (await commandsOf(learner, () => view(learner, model)))
    .filter(({ name }) => name !== 'MULTI' && name !== 'EXEC')
    .map(({ words }) => words.map((word) => word.toString('latin1')))
  const last = FIRST + want - 1
  // A script cannot run another one. Whatever cannot be repeated does not count, which is all that matters.
  if (frames.some(([name]) => /^(EVAL|FCALL)/i.test(name!))) await copyOneByOne(redis, frames, model, last)
  else await redis.eval(COPY, 0, model, last, JSON.stringify(frames)).catch(() => {})
  return want
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
    // By call(): as a method of a pipeline a command has its name in lower case only, and learner code may send another.
    for (const frame of frames) commands.push(['call', ...frame.map((word) => word.replaceAll(String(model), String(id)))])
  }
  await redis.pipeline(commands).exec()
}

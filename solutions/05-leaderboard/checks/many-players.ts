import type { Redis } from 'ioredis'
import { storm, type Command, type Instance, type Learner } from '#checks'
import { add, boardOf, names, rankOf, scoreOf, topOf } from './board.ts'

export interface Growing {
  readonly board: Instance
  /** Adds players until there are about `want`; returns how many there are. */
  grow(want: number): Promise<number>
}

/** The players at the ends of the board, whoever comes in between. */
export const PLANTED = { best: 'the best one', lowest: 'the lowest one' }

/** Ids and scores of the others begin here: all have as many digits, for those who pad or compare them. */
const FIRST = 1_000_000

/** By calls there are at most this many: less proves less, but is never unfair. */
const BY_CALLS = 2000

/**
 * A board that can be made large fast. The learner's code adds one player, and the server repeats what was sent with the
 * digits exchanged: a hundred times as fast as as many calls. Where such copies do not count, there are fewer, by calls.
 */
export async function growing(learner: Learner, redis: Redis): Promise<Growing> {
  const board = await boardOf(learner)
  await copies(learner, board, redis, 0, 4)
  const copiesCount = names(await topOf(board, 9)).length === 4 &&
    (await scoreOf(board, nameOf(3))) === FIRST + 3 && (await rankOf(board, nameOf(0))) === 4
  await redis.flushdb()
  await add(board, PLANTED.best, 9 * FIRST)
  await add(board, PLANTED.lowest, -FIRST)
  let have = 2
  return {
    board,
    async grow(want) {
      const until = copiesCount ? want : Math.min(want, BY_CALLS)
      if (copiesCount) await copies(learner, board, redis, have, until)
      else for (; have < until; have += 99) await storm(Math.min(99, until - have), (i) => add(board, nameOf(have + i), FIRST + have + i))
      have = until
      return until
    },
  }
}

const nameOf = (i: number): string => `player ${FIRST + i}`

async function copies(learner: Learner, board: Instance, redis: Redis, have: number, want: number): Promise<void> {
  const model = FIRST + have
  learner.wire.forget()
  await add(board, nameOf(have), model)
  const frames = framesOf(learner.wire.commands())
  const last = FIRST + want - 1
  // A script cannot run another one. Whatever cannot be repeated does not count, which is all that matters.
  if (frames.some(([name]) => /^(EVAL|FCALL)/i.test(name!))) await copyOneByOne(redis, frames, model, last)
  else await redis.eval(COPY, 0, model, last, JSON.stringify(frames)).catch(() => {})
}

/** What leaves nothing behind is not repeated: nor is EVALSHA of a script that the server does not know. */
const WITHOUT_TRACE = new Set(['MULTI', 'EXEC', 'PUBLISH'])

function framesOf(commands: readonly Command[]): string[][] {
  return commands
    .filter(({ name, reply }) => !WITHOUT_TRACE.has(name) && reply?.type !== 'error')
    .map(({ words }) => words.map((word) => word.toString('latin1')))
}

/** ARGV[1] the model's digits · ARGV[2] the last ones · ARGV[3] the commands of one call, as JSON */
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

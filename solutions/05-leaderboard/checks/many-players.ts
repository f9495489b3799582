import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { CheckFailed, copyCommands, LearnerError, storm, type Instance, type Learner } from '#checks'
import { add, boardOf, names, rankOf, scoreOf, topOf } from './board.ts'

export interface Growing {
  readonly board: Instance
  /** Adds players until there are `want`, or fewer where they come by calls; returns how many there are. */
  grow(want: number): Promise<number>
}

/** The players at the ends of the board, whoever comes in between. */
export const PLANTED = { best: 'the best one', lowest: 'the lowest one' }

/** Ids and scores of the others begin here: all have as many digits, for those who pad or compare them. */
const FIRST = 1_000_000

/** By calls there are at most this many: less proves less, but is never unfair. */
const BY_CALLS = 2000

/**
 * A board that can be made large fast: the learner's code adds one player, and the server repeats what was sent. Where
 * such copies do not count, there are fewer, by calls.
 */
export async function growing(learner: Learner, redis: Redis): Promise<Growing> {
  const copiesCount = await doCopiesCount(learner, redis)
  await redis.flushdb()
  const board = await boardOf(learner, `board-${randomUUID()}`)
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

/** Tried on a board of its own. They may well be something that the learner's code cannot read. */
async function doCopiesCount(learner: Learner, redis: Redis): Promise<boolean> {
  const board = await boardOf(learner, `board-${randomUUID()}`)
  await copies(learner, board, redis, 0, 4)
  try {
    return names(await topOf(board, 9)).length === 4 && (await scoreOf(board, nameOf(3))) === FIRST + 3 && (await rankOf(board, nameOf(0))) === 4
  } catch (error) {
    if (error instanceof LearnerError || error instanceof CheckFailed) return false
    throw error
  }
}

async function copies(learner: Learner, board: Instance, redis: Redis, have: number, want: number): Promise<void> {
  const model = FIRST + have
  learner.wire.forget()
  await add(board, nameOf(have), model)
  await copyCommands(redis, learner.wire.commands(), model, FIRST + want - 1)
}

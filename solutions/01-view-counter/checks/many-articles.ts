import type { Redis } from 'ioredis'
import { copyCommands, storm, type Learner } from '#checks'
import { commandsOf, countOf, topOf, view } from './calls.ts'

/** Has articles viewed, once each, until there are `want` instead of `have`; returns how many there are. */
export type Grow = (have: number, want: number) => Promise<number>

/** Ids of the articles begin here: all have as many digits, for those who pad or compare them. */
const FIRST = 1_000_000

/** By calls there are at most this many: less proves less, but is never unfair. */
const BY_CALLS = 2000

/**
 * The fastest way to many articles: the learner's code makes one view, and the server repeats what was sent. Where such
 * copies do not count, there are fewer, by calls. Leaves the database empty.
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
  await copyCommands(redis, await commandsOf(learner, () => view(learner, model)), model, FIRST + want - 1)
  return want
}

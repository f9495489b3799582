import type { Redis } from 'ioredis'
import { both, NotApplicable, type Learner } from '#checks'
import { add, task } from './queue.ts'

const QUEUE = 'task:queue'

export interface Planter {
  /** Puts texts where the queue is taken from: the first will be met first. */
  plant(texts: readonly string[]): Promise<void>
  /** What has been set aside, sorted. */
  dead(): Promise<string[]>
}

/** More than anybody goes through with a fixed number of tries. */
export const manyTexts: readonly string[] = Array.from({ length: 120 }, (_, i) => `no task ${i}`)

/** Adds the tasks a and b, and finds out at which side of the list `task:queue` the older one is. */
export async function planter(learner: Learner, redis: Redis): Promise<Planter> {
  await add(learner, task('a'))
  const [older] = await entries(redis)
  await add(learner, task('b'))
  const two = await entries(redis)
  if (older === undefined || two.length !== 2) throw notAList
  const fromTheLeft = two[0]!.equals(older)
  return {
    async plant(texts) {
      // The last one pushed is the first one met.
      const pushed = texts.toReversed()
      await (fromTheLeft ? redis.lpush(QUEUE, ...pushed) : redis.rpush(QUEUE, ...pushed))
    },
    dead: async () => ((await redis.type('task:queue:dead')) === 'list' ? (await redis.lrange('task:queue:dead', 0, -1)).toSorted() : []),
  }
}

async function entries(redis: Redis): Promise<Buffer[]> {
  if ((await redis.type(QUEUE)) !== 'list') throw notAList
  return redis.lrangeBuffer(QUEUE, 0, -1)
}

const notAList = new NotApplicable(both(
  'The queue is no list at task:queue, so nothing malformed can be put into it.',
  'Hàng đợi không phải là list tại task:queue nên không thể đặt phần tử hỏng vào đó.'))

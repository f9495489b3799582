// Mistake: what most tutorials print: RPUSH, LPOP and JSON.parse; a claim pops the task and then pushes it to another list with the client's time.
// Fails: malformed-entries-are-passed-over, malformed-entries-are-kept, bad-tasks-are-refused,
// Fails: requeued-tasks-go-first, crash-in-a-claim-loses-nothing, crash-in-a-requeue-loses-nothing,
// Fails: acknowledging-and-requeueing-agree, stale-claims-go-back-once, lost-reply-loses-no-task,
// Fails: claims-pass-malformed-entries-over, bad-claim-arguments-are-refused, claiming-is-one-round-trip
import type { Redis } from 'ioredis'

const QUEUE_KEY = 'task:queue'
const PROCESSING_KEY = 'task:processing'

/** Adds a task to the queue. */
export async function addTask(redis: Redis, task: object): Promise<number> {
  return await redis.rpush(QUEUE_KEY, JSON.stringify(task))
}

/** Takes the next task. */
export async function getNextTask(redis: Redis): Promise<object | null> {
  const task = await redis.lpop(QUEUE_KEY)
  return task ? (JSON.parse(task) as object) : null
}

/** The number of tasks in the queue. */
export async function getQueueLength(redis: Redis): Promise<number> {
  return await redis.llen(QUEUE_KEY)
}

/** Takes the next task for a worker. */
export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  const task = await getNextTask(redis)
  if (!task) return null
  const receipt = JSON.stringify({ workerId, claimedAt: Date.now(), task })
  await redis.rpush(PROCESSING_KEY, receipt)
  return { receipt, task }
}

/** The task is done. */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  const removed = await redis.lrem(PROCESSING_KEY, 1, receipt)
  return removed > 0
}

/** Puts tasks that take too long back into the queue. */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  const processing = await redis.lrange(PROCESSING_KEY, 0, -1)
  let count = 0
  for (const item of processing) {
    const { claimedAt, task } = JSON.parse(item) as { claimedAt: number; task: object }
    if (Date.now() - claimedAt > olderThanMs) {
      await redis.lrem(PROCESSING_KEY, 1, item)
      await redis.rpush(QUEUE_KEY, JSON.stringify(task))
      count++
    }
  }
  return count
}

// Mistake: the tutorial's queue; the claims were never written.
// Fails: malformed-entries-are-passed-over, malformed-entries-are-kept, bad-tasks-are-refused,
// Fails: claims-give-receipt-and-task, claimed-tasks-do-not-wait, acknowledged-tasks-are-done,
// Fails: old-receipts-acknowledge-nothing, equal-tasks-are-claimed-apart, requeue-tells-how-many,
// Fails: only-stale-claims-go-back, requeued-tasks-go-first, any-worker-id-works, claims-are-atomic,
// Fails: crash-in-a-claim-loses-nothing, crash-in-a-requeue-loses-nothing, acknowledging-and-requeueing-agree,
// Fails: stale-claims-go-back-once, killed-worker-loses-nothing, claimed-tasks-never-expire,
// Fails: claim-keys-start-with-task, lost-reply-loses-no-task, claims-pass-malformed-entries-over,
// Fails: bad-claim-arguments-are-refused, redis-failure-rejects, failed-claim-command-rejects,
// Fails: survives-an-emptied-script-cache, claiming-is-one-round-trip, acknowledging-is-one-round-trip,
// Fails: never-searches-the-keys
import type { Redis } from 'ioredis'

/** Adds a task to the queue. */
export async function addTask(redis: Redis, task: object): Promise<number> {
  return redis.rpush('task:queue', JSON.stringify(task))
}

/** Takes the next task. */
export async function getNextTask(redis: Redis): Promise<object | null> {
  const entry = await redis.lpop('task:queue')
  return entry ? (JSON.parse(entry) as object) : null
}

/** The number of tasks in the queue. */
export async function getQueueLength(redis: Redis): Promise<number> {
  return redis.llen('task:queue')
}

/** Not there yet. */
export async function claimTask(_redis: Redis, _workerId: string): Promise<{ receipt: string; task: object } | null> {
  throw new Error('TODO: take the next task, but keep it until it is acknowledged')
}

/** Not there yet. */
export async function ackTask(_redis: Redis, _receipt: string): Promise<boolean> {
  throw new Error('TODO: the task of this claim is done')
}

/** Not there yet. */
export async function requeueStale(_redis: Redis, _olderThanMs: number): Promise<number> {
  throw new Error('TODO: put back what was claimed too long ago')
}

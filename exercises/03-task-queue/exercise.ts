import type { Redis } from 'ioredis'

export async function addTask(redis: Redis, task: object): Promise<number> {
  throw new Error('TODO: put the task at the end of the queue; how many wait now?')
}

export async function getNextTask(redis: Redis): Promise<object | null> {
  throw new Error('TODO: take the task that has waited longest, or null')
}

export async function getQueueLength(redis: Redis): Promise<number> {
  throw new Error('TODO: how many tasks wait?')
}

export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  throw new Error('TODO: take the next task, but keep it until it is acknowledged')
}

export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  throw new Error('TODO: the task of this claim is done')
}

export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  throw new Error('TODO: put back what was claimed too long ago')
}

// A scratch program: change it as you like. It needs a Redis of yours, named by REDIS_URL.
import { Redis } from 'ioredis'
import { ackTask, addTask, claimTask, getNextTask, getQueueLength, requeueStale } from './exercise.ts'

const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
try {
  for (const to of ['ann', 'bob', 'cem']) console.log('tasks waiting:', await addTask(redis, { kind: 'email', to }))
  console.log('next task:', await getNextTask(redis))

  const done = await claimTask(redis, 'worker-1')
  const forgotten = await claimTask(redis, 'worker-2')
  console.log('claimed:', done, forgotten)
  console.log('tasks waiting:', await getQueueLength(redis))
  if (done) console.log('acknowledged:', await ackTask(redis, done.receipt))

  await new Promise((resolve) => setTimeout(resolve, 20))
  console.log('put back:', await requeueStale(redis, 10))
  if (forgotten) console.log('acknowledged too late:', await ackTask(redis, forgotten.receipt))
  console.log('next task:', await getNextTask(redis))
} finally {
  await redis.quit()
}

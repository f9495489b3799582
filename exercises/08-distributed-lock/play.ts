import { Redis } from 'ioredis'
import { DistributedLock, LockTimeoutError } from './exercise.ts'

const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
try {
  const ann = new DistributedLock(redis, 'orders', { ttlMs: 2000 })
  const bob = new DistributedLock(redis, 'orders', { ttlMs: 2000, waitMs: 300 })

  console.log('ann takes the lock:', await ann.acquire(), 'with token', ann.fencingToken)
  console.log('bob takes it too:', await bob.acquire())
  console.log('ann extends it to 5 s:', await ann.extend(5000), 'left:', await redis.pttl('lock:orders'), 'ms')

  await bob.withLock(async () => 'never').catch((error: unknown) => {
    console.log('bob waits 300 ms:', error instanceof LockTimeoutError ? 'LockTimeoutError' : error)
  })
  console.log('ann gives it back:', await ann.release(), 'and once more:', await ann.release())

  const result = await bob.withLock(async ({ token, signal }) => `token ${token}, lost: ${signal.aborted}`)
  console.log('bob works in the lock:', result)
} finally {
  await redis.quit()
}

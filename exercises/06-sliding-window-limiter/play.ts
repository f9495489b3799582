// A scratch program: change it as you like. It needs a Redis of yours, named by REDIS_URL.
import { Redis } from 'ioredis'
import { RateLimiter } from './exercise.ts'

const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
const limiter = new RateLimiter(redis, { maxRequests: 3, windowMs: 5000 })

for (let call = 1; call <= 5; call++) {
  const allowed = await limiter.isAllowed('ann')
  const remaining = await limiter.getRemainingRequests('ann')
  const reset = await limiter.getResetTime('ann')
  console.log(`call ${call}: ${allowed ? 'admitted' : 'rejected'}, ${remaining} left, a slot in ${reset} s`)
}

await redis.quit()

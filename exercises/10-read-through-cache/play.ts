// A scratch program: change it as you like. It needs a Redis of yours, named by REDIS_URL.
import { Redis } from 'ioredis'
import { cacheWithRedis } from './exercise.ts'

const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
try {
  const square = cacheWithRedis(redis, { name: 'square', expire: 60 })(async (n: number) => {
    console.log(`computing the square of ${n}`)
    return n * n
  })
  for (const n of [7, 7, 8, 7]) console.log(`${n} * ${n} =`, await square(n))

  console.log('was there an entry for 7?', await square.invalidate(7))
  console.log('and now?', await square.invalidate(7))
  console.log('7 * 7 =', await square(7))
  console.log('keys:', await redis.keys('cache:square:*'))
} finally {
  await redis.quit()
}

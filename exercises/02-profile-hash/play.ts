// A scratch program: change it as you like. It needs a Redis of yours, named by REDIS_URL.
import { Redis } from 'ioredis'
import { getUserProfile, saveUserProfile, updateUserField } from './exercise.ts'

const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
try {
  await saveUserProfile(redis, 7, { name: 'Ann', city: 'Hue', phone: '0123' })
  console.log('saved:', await getUserProfile(redis, 7))

  console.log('updated:', await updateUserField(redis, 7, 'city', 'Da Nang'))
  console.log('seconds left:', await redis.ttl('user:7:profile'))

  await saveUserProfile(redis, 7, { name: 'Ann' })
  console.log('saved again, with fewer fields:', await getUserProfile(redis, 7))

  console.log('updated, though nobody saved it:', await updateUserField(redis, 8, 'city', 'Hue'))
  console.log('so it is:', await getUserProfile(redis, 8))
} finally {
  await redis.quit()
}

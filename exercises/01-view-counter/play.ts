// A scratch program: change it as you like. It needs a Redis of yours, named by REDIS_URL.
import { Redis } from 'ioredis'
import { getTopArticles, getViewCount, viewArticle } from './exercise.ts'

const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
try {
  for (const articleId of [42, 7, 42, 42, 7, 13]) await viewArticle(redis, articleId)
  console.log('views of article 42:', await getViewCount(redis, 42))
  console.log('views of article 99, which nobody has viewed:', await getViewCount(redis, 99))
  console.log('the two most viewed:', await getTopArticles(redis, 2))

  await Promise.all(Array.from({ length: 50 }, () => viewArticle(redis, 13)))
  console.log('after 50 views of article 13 at once:', await getTopArticles(redis))
} finally {
  await redis.quit()
}

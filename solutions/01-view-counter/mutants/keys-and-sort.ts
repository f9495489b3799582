// Mistake: the ranking is found by KEYS and sorted here: the whole database is walked and read for ten articles.
// Fails: never-searches-the-keys, top-reads-only-what-it-gives
import type { Redis } from 'ioredis'

const countKey = (articleId: number): string => `article:${articleId}:views`

/** Counts one view in `article:{id}:views`, which never expires. */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  checkId(articleId)
  await redis.incr(countKey(articleId))
}

/** The count of `article:{id}:views`; 0 when never viewed. */
export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  checkId(articleId)
  return Number(await redis.get(countKey(articleId)))
}

/** The `limit` most viewed, most views first. */
export async function getTopArticles(redis: Redis, limit = 10): Promise<Array<{ articleId: number; views: number }>> {
  checkLimit(limit)
  const keys = await redis.keys('article:*:views')
  if (keys.length === 0) return []
  const counts = await redis.mget(keys)
  const all = keys.map((key, i) => ({ articleId: Number(key.split(':')[1]), views: Number(counts[i]) }))
  return all.sort((a, b) => b.views - a.views || a.articleId - b.articleId).slice(0, limit)
}

function checkId(articleId: number): void {
  if (typeof articleId !== 'number') throw new TypeError('articleId must be a number')
  if (!Number.isSafeInteger(articleId) || articleId < 1) throw new RangeError('articleId must be a positive integer')
}

function checkLimit(limit: number): void {
  if (typeof limit !== 'number') throw new TypeError('limit must be a number')
  if (!Number.isSafeInteger(limit) || limit < 0) throw new RangeError('limit must be an integer from 0 up')
}

// Mistake: the counts are in a hash that is read whole and sorted here.
// Fails: top-reads-only-what-it-gives
import type { Redis } from 'ioredis'

const COUNTS = 'article:views'

/** Counts one view in the hash `article:views`, which never expires. */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  checkId(articleId)
  await redis.hincrby(COUNTS, String(articleId), 1)
}

/** The field of the hash `article:views`; 0 when never viewed. */
export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  checkId(articleId)
  return Number(await redis.hget(COUNTS, String(articleId)))
}

/** The `limit` most viewed, most views first. */
export async function getTopArticles(redis: Redis, limit = 10): Promise<Array<{ articleId: number; views: number }>> {
  checkLimit(limit)
  const counts = Object.entries(await redis.hgetall(COUNTS))
  const all = counts.map(([id, views]) => ({ articleId: Number(id), views: Number(views) }))
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

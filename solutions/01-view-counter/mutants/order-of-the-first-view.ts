// Mistake: an article enters the ranking at its first view and never moves again; only its count is read anew.
// Fails: most-viewed-come-first, count-and-ranking-agree
import type { Redis } from 'ioredis'

const RANKING = 'article:ranking'
const countKey = (articleId: number): string => `article:${articleId}:views`

/** Counts one view in `article:{id}:views` and `article:ranking`, in one transaction. Nothing expires. */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  checkId(articleId)
  const replies = await redis.multi().incr(countKey(articleId)).zadd(RANKING, 'NX', 1, String(articleId)).exec()
  for (const [error] of replies ?? []) if (error) throw error
}

/** The count of `article:{id}:views`; 0 when never viewed. */
export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  checkId(articleId)
  return Number(await redis.get(countKey(articleId)))
}

/** The `limit` most viewed of `article:ranking`, most views first. */
export async function getTopArticles(redis: Redis, limit = 10): Promise<Array<{ articleId: number; views: number }>> {
  checkLimit(limit)
  if (limit === 0) return []
  const ids = await redis.zrevrange(RANKING, 0, limit - 1)
  if (ids.length === 0) return []
  const counts = await redis.mget(ids.map((id) => countKey(Number(id))))
  return ids.map((id, i) => ({ articleId: Number(id), views: Number(counts[i]) }))
}

function checkId(articleId: number): void {
  if (typeof articleId !== 'number') throw new TypeError('articleId must be a number')
  if (!Number.isSafeInteger(articleId) || articleId < 1) throw new RangeError('articleId must be a positive integer')
}

function checkLimit(limit: number): void {
  if (typeof limit !== 'number') throw new TypeError('limit must be a number')
  if (!Number.isSafeInteger(limit) || limit < 0) throw new RangeError('limit must be an integer from 0 up')
}

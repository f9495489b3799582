// Way: the counts are fields of one hash, the ranking a sorted set, changed in one transaction; entries carry a
//      place.
import type { Redis } from 'ioredis'

const RANKING = 'article:ranking'
const COUNTS = 'article:views'

/** Counts one view in the hash `article:views` and in `article:ranking`, in one transaction. Nothing expires. */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  checkId(articleId)
  const id = String(articleId)
  const replies = await redis.multi([['hincrby', COUNTS, id, '1'], ['zincrby', RANKING, '1', id]]).exec()
  const failed = replies?.find(([error]) => error !== null)?.[0]
  if (failed) throw failed
}

/** The field of the hash `article:views`; 0 when never viewed. */
export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  checkId(articleId)
  return Number((await redis.hget(COUNTS, String(articleId))) ?? 0)
}

/** The `limit` most viewed of `article:ranking`, most views first. */
export async function getTopArticles(redis: Redis, limit = 10): Promise<Array<{ articleId: number; views: number }>> {
  checkLimit(limit)
  if (limit === 0) return []
  const reply = await redis.zrange(RANKING, '+inf', '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, limit, 'WITHSCORES')
  return pairs(reply).map((article, i) => ({ ...article, place: i + 1 }))
}

function pairs(reply: readonly string[]): Array<{ articleId: number; views: number }> {
  return Array.from({ length: reply.length / 2 }, (_, i) => ({
    articleId: Number(reply[2 * i]),
    views: Number(reply[2 * i + 1]),
  }))
}

function checkId(articleId: number): void {
  if (typeof articleId !== 'number') throw new TypeError('articleId must be a number')
  if (!Number.isSafeInteger(articleId) || articleId < 1) throw new RangeError('articleId must be a positive integer')
}

function checkLimit(limit: number): void {
  if (typeof limit !== 'number') throw new TypeError('limit must be a number')
  if (!Number.isSafeInteger(limit) || limit < 0) throw new RangeError('limit must be an integer from 0 up')
}

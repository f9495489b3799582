// Way: members are ids padded to 16 digits, so that equal counts come in the order of their ids.
import type { Redis } from 'ioredis'

const VIEWS = 'article:views'
const member = (articleId: number): string => String(articleId).padStart(16, '0')

/** Counts one view: the score of the padded id in `article:views`, by one command. Never expires. */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  checkId(articleId)
  await redis.zincrby(VIEWS, 1, member(articleId))
}

/** The score of the padded id in `article:views`; 0 when never viewed. */
export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  checkId(articleId)
  return Number(await redis.zscore(VIEWS, member(articleId)))
}

/** The `limit` most viewed of `article:views`, most views first. */
export async function getTopArticles(redis: Redis, limit = 10): Promise<Array<{ articleId: number; views: number }>> {
  checkLimit(limit)
  if (limit === 0) return []
  const reply = await redis.zrevrange(VIEWS, 0, limit - 1, 'WITHSCORES')
  return pairs(reply)
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

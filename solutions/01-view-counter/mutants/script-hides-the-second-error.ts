// Mistake: the script hands on an error of its first command, and drops that of its second.
// Fails: failed-command-rejects
import type { Redis } from 'ioredis'

const RANKING = 'article:ranking'
const countKey = (articleId: number): string => `article:${articleId}:views`

const VIEW = `
  local count = redis.pcall('INCR', KEYS[1])
  redis.pcall('ZINCRBY', KEYS[2], 1, ARGV[1])
  return count
`

/** Counts one view in `article:{id}:views` and `article:ranking`. Nothing expires. */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  checkId(articleId)
  await redis.eval(VIEW, 2, countKey(articleId), RANKING, articleId)
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
  const reply = await redis.zrevrange(RANKING, 0, limit - 1, 'WITHSCORES')
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

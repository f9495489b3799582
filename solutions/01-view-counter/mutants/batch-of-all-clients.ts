// Mistake: the views of one turn are sent together, with the client of whoever came first.
// Fails: redis-failure-rejects
import type { Redis } from 'ioredis'

/** The views of this turn, not yet sent. */
let waiting: { articleIds: number[]; sent: Promise<void> } | undefined

/** Every article ever viewed, as a member of one sorted set whose scores are the counts. */
const RANKING = 'article:ranking'

/** The count of one article, a string that INCR raises. */
const countKey = (articleId: number): string => `article:${articleId}:views`

/**
 * Counts one view of an article: its count, `article:{articleId}:views`, and its score in `article:ranking` change in
 * one transaction, so nobody sees one without the other and no crash leaves one behind. Neither key expires.
 * Rejects when a command of the transaction fails; Redis does not roll back, so the count may have changed.
 */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  checkArticleId(articleId)
  if (!waiting) {
    const articleIds: number[] = []
    waiting = { articleIds, sent: send(redis, articleIds) }
  }
  waiting.articleIds.push(articleId)
  await waiting.sent
}

async function send(redis: Redis, articleIds: readonly number[]): Promise<void> {
  // Until others of this turn have come.
  await Promise.resolve()
  waiting = undefined
  const views = redis.multi()
  for (const articleId of articleIds) views.incr(countKey(articleId)).zincrby(RANKING, 1, String(articleId))
  const replies = await views.exec()
  if (replies === null) throw new Error('the views were not counted: the transaction was aborted')
  // exec() resolves even when a command inside it failed: its error is in the reply.
  for (const [error] of replies) if (error) throw error
}

/** How often an article was viewed, from `article:{articleId}:views`; 0 when never. */
export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  checkArticleId(articleId)
  return Number(await redis.get(countKey(articleId)))
}

/**
 * The `limit` most viewed articles of `article:ranking`, most views first; equal counts keep their order.
 * The server picks them, so the reply does not grow with the number of articles.
 */
export async function getTopArticles(redis: Redis, limit = 10): Promise<Array<{ articleId: number; views: number }>> {
  if (typeof limit !== 'number') throw new TypeError('limit must be a number')
  if (!Number.isSafeInteger(limit) || limit < 0) throw new RangeError('limit must be an integer from 0 up')
  // A stop of -1 would mean the last one: everything.
  if (limit === 0) return []
  const reply = await redis.zrevrange(RANKING, 0, limit - 1, 'WITHSCORES')
  return Array.from({ length: reply.length / 2 }, (_, i) => ({
    articleId: Number(reply[2 * i]),
    views: Number(reply[2 * i + 1]),
  }))
}

function checkArticleId(articleId: number): void {
  if (typeof articleId !== 'number') throw new TypeError('articleId must be a number')
  if (!Number.isSafeInteger(articleId) || articleId < 1) throw new RangeError('articleId must be a positive integer')
}

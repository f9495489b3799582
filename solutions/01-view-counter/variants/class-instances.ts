// Way: the ranking is a list of instances of a class; one sorted set is both count and ranking.
import type { Redis } from 'ioredis'

const VIEWS = 'article:views'

/** An article of the ranking. */
class RankedArticle {
  readonly articleId: number
  readonly #score: string

  constructor(member: string, score: string) {
    this.articleId = Number(member)
    this.#score = score
  }

  get views(): number {
    return Number(this.#score)
  }
}

/** Counts one view: the score of the article in `article:views`, by one command. Never expires. */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  checkId(articleId)
  await redis.zincrby(VIEWS, 1, String(articleId))
}

/** The score of the article in `article:views`; 0 when never viewed. */
export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  checkId(articleId)
  return Number(await redis.zscore(VIEWS, String(articleId)))
}

/** The `limit` most viewed of `article:views`, most views first. */
export async function getTopArticles(redis: Redis, limit = 10): Promise<RankedArticle[]> {
  checkLimit(limit)
  if (limit === 0) return []
  const reply = await redis.zrevrange(VIEWS, 0, limit - 1, 'WITHSCORES')
  return Array.from({ length: reply.length / 2 }, (_, i) => new RankedArticle(reply[2 * i]!, reply[2 * i + 1]!))
}

function checkId(articleId: number): void {
  if (typeof articleId !== 'number') throw new TypeError('articleId must be a number')
  if (!Number.isSafeInteger(articleId) || articleId < 1) throw new RangeError('articleId must be a positive integer')
}

function checkLimit(limit: number): void {
  if (typeof limit !== 'number') throw new TypeError('limit must be a number')
  if (!Number.isSafeInteger(limit) || limit < 0) throw new RangeError('limit must be an integer from 0 up')
}

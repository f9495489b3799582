// Mistake: the extra connection of getTopArticles stays open when the command fails
// Fails: no-leaked-connection
import type { Redis } from 'ioredis'

type Row = { articleId: number; views: number }

/** Everything lives in one sorted set, with the score negated, so that ZRANGE gives the most viewed first. */
const KEY = 'article:by-views'

class Articles {
  private readonly redis: Redis

  constructor(redis: Redis) {
    this.redis = redis
  }

  async view(articleId: number): Promise<void> {
    await this.redis.zincrby(KEY, -1, articleId.toString())
  }

  async count(articleId: number): Promise<number> {
    const score = await this.redis.zscore(KEY, articleId.toString())
    return score === null ? 0 : Math.abs(Number(score))
  }

  async top(limit: number): Promise<Row[]> {
    const connection = this.redis.duplicate()
    connection.on('error', () => {})
    const flat: string[] = await connection.zrange(KEY, 0, String(limit - 1), 'WITHSCORES')
    connection.disconnect()
    const rows: Row[] = []
    while (flat.length > 0) {
      const [member, score] = flat.splice(0, 2)
      rows.push({ articleId: Number(member), views: -Number(score) })
    }
    return rows
  }
}

const problem = (value: unknown, min: number): Error | null => {
  if (typeof value !== 'number') return new TypeError('a number is needed')
  return Number.isSafeInteger(value) && value >= min ? null : new RangeError(`${value} is out of range`)
}

/**
 * Counts a view in the sorted set `article:by-views`, which never expires. One ZINCRBY: count and ranking are the same
 * number and cannot differ.
 */
export function viewArticle(redis: Redis, articleId: number): Promise<void> {
  const error = problem(articleId, 1)
  return error ? Promise.reject(error) : new Articles(redis).view(articleId)
}

/** Tells the views of an article, 0 if there are none, from `article:by-views`, which never expires. */
export function getViewCount(redis: Redis, articleId: number): Promise<number> {
  const error = problem(articleId, 1)
  return error ? Promise.reject(error) : new Articles(redis).count(articleId)
}

/**
 * Lists the most viewed articles of `article:by-views`, which never expires, on a connection of its own that is closed
 * before the promise settles.
 */
export function getTopArticles(redis: Redis, limit = 10): Promise<Row[]> {
  const error = problem(limit, 0)
  if (error) return Promise.reject(error)
  return limit === 0 ? Promise.resolve([]) : new Articles(redis).top(limit)
}

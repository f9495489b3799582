// Way: promises without async: constants that hold functions, refusals as rejected promises, members with a prefix.
import type { Redis } from 'ioredis'

type Article = { articleId: number; views: number }

const RANKING = 'article:ranking'

/** Counts one view: the score in `article:ranking`, by one command. Never expires. */
export const viewArticle = (redis: Redis, articleId: number): Promise<void> =>
  refusal(articleId, 1) ?? redis.zincrby(RANKING, 1, `id:${articleId}`).then(() => undefined)

/** The score in `article:ranking`; 0 when never viewed. */
export const getViewCount = (redis: Redis, articleId: number): Promise<number> =>
  refusal(articleId, 1) ?? redis.zscore(RANKING, `id:${articleId}`).then(Number)

/** The `limit` most viewed of `article:ranking`, most views first. */
export const getTopArticles = (redis: Redis, limit = 10): Promise<Article[]> => {
  if (limit === 0) return Promise.resolve([])
  return refusal(limit, 0) ?? redis.zrange(RANKING, 0, String(limit - 1), 'REV', 'WITHSCORES').then(articles)
}

function refusal(value: number, least: number): Promise<never> | null {
  if (typeof value !== 'number') return Promise.reject(new TypeError(`${String(value)} is not a number`))
  if (Number.isSafeInteger(value) && value >= least) return null
  return Promise.reject(new RangeError(`${value} is not an integer from ${least} up`))
}

function articles(reply: string[]): Article[] {
  const members = reply.filter((_, i) => i % 2 === 0)
  return members.map((member, i) => ({ articleId: Number(member.slice(3)), views: Number(reply[2 * i + 1]) }))
}

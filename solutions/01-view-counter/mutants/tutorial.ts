// Mistake: what most tutorials print: INCR, then GET, then ZADD of the value read, three trips in which others can
//          come between; nothing is checked, and a limit of 0 becomes a stop of -1.
// Fails: limit-zero-gives-nothing, bad-ids-are-refused, bad-limits-are-refused, a-view-is-one-round-trip,
// Fails: a-view-is-two-commands-at-most, count-and-ranking-agree, crash-changes-both-or-neither
import type { Redis } from 'ioredis'

/** Adds one view to the article. */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  const key = `article:${articleId}:views`
  await redis.incr(key)
  const views = await redis.get(key)
  await redis.zadd('article:ranking', Number(views), articleId)
}

/** The views of the article. */
export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  const views = await redis.get(`article:${articleId}:views`)
  return views ? parseInt(views) : 0
}

/** The most viewed articles. */
export async function getTopArticles(redis: Redis, limit = 10): Promise<Array<{ articleId: number; views: number }>> {
  const results = await redis.zrevrange('article:ranking', 0, limit - 1, 'WITHSCORES')
  const articles: Array<{ articleId: number; views: number }> = []
  for (let i = 0; i < results.length; i += 2) {
    articles.push({ articleId: Number(results[i]), views: Number(results[i + 1]) })
  }
  return articles
}

import type { Redis } from 'ioredis'

export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  throw new Error('TODO: count one view, and let the ranking know')
}

export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  throw new Error('TODO: how often was this article viewed?')
}

export async function getTopArticles(redis: Redis, limit = 10): Promise<Array<{ articleId: number; views: number }>> {
  throw new Error('TODO: which articles were viewed most?')
}

// Mistake: KEYS inside a script still walks the whole database; only its answer is short.
// Fails: never-searches-the-keys
import type { Redis } from 'ioredis'

const countKey = (articleId: number): string => `article:${articleId}:views`

const TOP = `
  local found = {}
  for _, key in ipairs(redis.call('KEYS', 'article:*:views')) do
    local id = string.match(key, '%d+')
    table.insert(found, { id, tonumber(redis.call('GET', key)) })
  end
  table.sort(found, function(a, b) if a[2] == b[2] then return a[1] < b[1] end return a[2] > b[2] end)
  local reply = {}
  for i = 1, math.min(#found, tonumber(ARGV[1])) do
    table.insert(reply, found[i][1])
    table.insert(reply, tostring(found[i][2]))
  end
  return reply
`

/** Counts one view in `article:{id}:views`, which never expires. */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  checkId(articleId)
  await redis.incr(countKey(articleId))
}

/** The count of `article:{id}:views`; 0 when never viewed. */
export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  checkId(articleId)
  return Number(await redis.get(countKey(articleId)))
}

/** The `limit` most viewed, most views first. */
export async function getTopArticles(redis: Redis, limit = 10): Promise<Array<{ articleId: number; views: number }>> {
  checkLimit(limit)
  return pairs((await redis.eval(TOP, 0, limit)) as string[])
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

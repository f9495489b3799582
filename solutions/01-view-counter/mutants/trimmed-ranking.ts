// Mistake: the ranking keeps the best thousand only: an article that falls out is missing in the list of all
// Fails: largest-ids-and-limits-work
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

/** A Lua script with its hash: EVALSHA first, EVAL when the server does not know it (any more). */
class CachedScript {
  readonly #source: string
  readonly #sha: string

  constructor(source: string) {
    this.#source = source
    this.#sha = createHash('sha1').update(source).digest('hex')
  }

  async run(redis: Redis, keys: string[], args: Array<string | number>): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return redis.eval(this.#source, keys.length, ...keys, ...args)
    }
  }
}

const COUNTS = 'article:counts'
const RANKING = 'article:ranking'

const view = new CachedScript(`
local views = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('ZADD', KEYS[2], views, ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1001)
return views
`)

const top = new CachedScript(`
local flat = redis.call('ZREVRANGE', KEYS[1], 0, ARGV[1], 'WITHSCORES')
return flat
`)

function whole(value: unknown, least: 0 | 1): number {
  if (typeof value !== 'number') throw new TypeError(`expected a number but got ${String(value)}`)
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`expected an integer >= ${least}, got ${value}`)
  return value
}

/**
 * Counts one view in the hash `article:counts` and the sorted set `article:ranking`, by one script: atomic, and both or
 * neither on a crash. Neither key expires. Rejects if Redis fails.
 */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  await view.run(redis, [COUNTS, RANKING], [whole(articleId, 1)])
}

/** How often the article was viewed, from the hash `article:counts`, which never expires. 0 for never; writes nothing. */
export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  const count = await redis.hget(COUNTS, String(whole(articleId, 1)))
  return count === null ? 0 : Number.parseInt(count, 10)
}

/** The most viewed articles of `article:ranking`, which never expires; best first, ties in a fixed order, one atomic read. */
export async function getTopArticles(redis: Redis, limit = 10): Promise<Array<{ articleId: number; views: number }>> {
  const count = whole(limit, 0)
  if (count === 0) return []
  const reply = await top.run(redis, [RANKING], [count - 1])
  if (!Array.isArray(reply)) throw new TypeError('unexpected reply')
  const numbers = reply.map(Number)
  return Array.from({ length: numbers.length / 2 }, (_, i) => ({ articleId: numbers[2 * i] ?? 0, views: numbers[2 * i + 1] ?? 0 }))
}

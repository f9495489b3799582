// Mistake: a bigint id is no number but is accepted
// Fails: bad-ids-are-refused
import type { Redis, Result } from 'ioredis'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    countArticleView(counter: string, board: string, member: string): Result<number, Context>
  }
}

const BOARD = 'article:board'
const DIGITS = 16

/** Members are padded with zeros, so that ties come in the order of the ids, greatest first. */
const toMember = (id: number): string => String(id).padStart(DIGITS, '0')

const ready = new WeakSet<Redis>()

function withCommand(redis: Redis): Redis {
  if (!ready.has(redis)) {
    redis.defineCommand('countArticleView', {
      numberOfKeys: 2,
      lua: `
        redis.call('ZINCRBY', KEYS[2], 1, ARGV[1])
        return redis.call('INCR', KEYS[1])`,
    })
    ready.add(redis)
  }
  return redis
}

const isCount = (value: number): boolean => Number.isInteger(value) && value <= Number.MAX_SAFE_INTEGER

function requireNumber(what: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${what}: a number is needed`)
}

function validId(articleId: unknown): string {
  const id = typeof articleId === 'bigint' ? Number(articleId) : articleId
  requireNumber('articleId', id)
  if (!isCount(id) || id < 1) throw new RangeError(`articleId: ${id} is out of range`)
  return toMember(id)
}

/**
 * One more view. `article:count:{id}` (a string) and `article:board` (a sorted set) change in one script, atomically; both
 * live for ever. The promise rejects on bad ids (nothing is sent) and on failures of Redis.
 * @param redis the client to use
 * @param articleId a positive safe integer
 */
export async function viewArticle(redis: Redis, articleId: number): Promise<void> {
  const member = validId(articleId)
  await withCommand(redis).countArticleView(`article:count:${member}`, BOARD, member)
}

/**
 * The views of one article so far, read from `article:count:{id}`, which lives for ever; 0 if there were none.
 */
export async function getViewCount(redis: Redis, articleId: number): Promise<number> {
  const text = await redis.get(`article:count:${validId(articleId)}`)
  return text === null ? 0 : Number(text)
}

/**
 * The articles with the most views, read from `article:board`, which lives for ever. Exactly one command, so what it shows
 * belongs together. Ties: the greater id first.
 */
export async function getTopArticles(redis: Redis, limit = 10): Promise<Array<{ articleId: number; views: number }>> {
  requireNumber('limit', limit)
  if (!isCount(limit) || limit < 0) throw new RangeError(`limit: ${limit} is out of range`)
  const reply: string[] = await redis.zrange(BOARD, '+inf', '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, limit, 'WITHSCORES')
  const rows: Array<{ articleId: number; views: number }> = []
  const values = reply.values()
  for (const member of values) rows.push({ articleId: Number(member), views: Number(values.next().value) })
  return rows
}

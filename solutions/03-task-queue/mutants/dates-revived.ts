// Mistake: strings that look like dates come back as Date objects
// Fails: any-json-comes-back
import type { Redis, Result } from 'ioredis'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    tqClaim(queue: string, claims: string, order: string, seq: string, worker: string): Result<[string, string] | null, Context>
    tqAck(claims: string, order: string, receipt: string): Result<number, Context>
    tqDead(claims: string, order: string, dead: string, receipt: string): Result<number, Context>
    tqRequeue(queue: string, claims: string, order: string, olderThan: string): Result<number, Context>
  }
}

const KEYS = {
  queue: 'task:queue',
  dead: 'task:queue:dead',
  claims: 'task:processing',
  order: 'task:processing:since',
  seq: 'task:processing:seq',
} as const

/** The functions below share this: commands defined once per client, and what is thrown for bad input. */
class TaskQueue {
  static readonly #instances = new WeakMap<Redis, TaskQueue>()
  readonly #redis: Redis

  private constructor(redis: Redis) {
    this.#redis = redis
    redis.defineCommand('tqClaim', {
      numberOfKeys: 4,
      lua: `
        local entry = redis.call('LPOP', KEYS[1])
        if not entry then return nil end
        local receipt = string.format('%015d', redis.call('INCR', KEYS[4])) .. ':' .. ARGV[1]
        local t = redis.call('TIME')
        redis.call('HSET', KEYS[2], receipt, entry)
        redis.call('ZADD', KEYS[3], t[1] .. string.format('%06d', t[2]), receipt)
        return {receipt, entry}`,
    })
    redis.defineCommand('tqAck', {
      numberOfKeys: 2,
      lua: `
        redis.call('ZREM', KEYS[2], ARGV[1])
        return redis.call('HDEL', KEYS[1], ARGV[1])`,
    })
    redis.defineCommand('tqDead', {
      numberOfKeys: 3,
      lua: `
        local entry = redis.call('HGET', KEYS[1], ARGV[1])
        if not entry then return 0 end
        redis.call('RPUSH', KEYS[3], entry)
        redis.call('ZREM', KEYS[2], ARGV[1])
        return redis.call('HDEL', KEYS[1], ARGV[1])`,
    })
    redis.defineCommand('tqRequeue', {
      numberOfKeys: 3,
      lua: `
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        local moved = 0
        local rows = redis.call('ZREVRANGE', KEYS[3], 0, -1, 'WITHSCORES')
        for i = 1, #rows, 2 do
          if now - rows[i + 1] > ARGV[1] * 1000 then
            redis.call('LPUSH', KEYS[1], redis.call('HGET', KEYS[2], rows[i]))
            redis.call('HDEL', KEYS[2], rows[i])
            redis.call('ZREM', KEYS[3], rows[i])
            moved = moved + 1
          end
        end
        return moved`,
    })
  }

  static of(redis: Redis): TaskQueue {
    const queue = TaskQueue.#instances.get(redis) ?? new TaskQueue(redis)
    TaskQueue.#instances.set(redis, queue)
    return queue
  }

  add(task: object): Promise<number> {
    return this.#redis.rpush(KEYS.queue, JSON.stringify(task))
  }

  length(): Promise<number> {
    return this.#redis.llen(KEYS.queue)
  }

  async take(): Promise<object | null> {
    let entry: string | null
    while ((entry = await this.#redis.lpop(KEYS.queue)) !== null) {
      const task = TaskQueue.#read(entry)
      if (task !== null) return task
      await this.#redis.rpush(KEYS.dead, entry)
    }
    return null
  }

  async claim(workerId: string): Promise<{ receipt: string; task: object } | null> {
    const claimed = await this.#redis.tqClaim(KEYS.queue, KEYS.claims, KEYS.order, KEYS.seq, workerId)
    if (claimed === null) return null
    const [receipt, entry] = claimed
    const task = TaskQueue.#read(entry)
    if (task !== null) return { receipt, task }
    await this.#redis.tqDead(KEYS.claims, KEYS.order, KEYS.dead, receipt)
    return this.claim(workerId)
  }

  async ack(receipt: string): Promise<boolean> {
    return (await this.#redis.tqAck(KEYS.claims, KEYS.order, receipt)) === 1
  }

  requeue(olderThanMs: number): Promise<number> {
    return this.#redis.tqRequeue(KEYS.queue, KEYS.claims, KEYS.order, String(olderThanMs))
  }

  static #read(entry: string): object | null {
    let value: unknown
    try {
      value = JSON.parse(entry, (_, v: unknown) => (typeof v === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(v) ? new Date(v) : v))
    } catch (error) {
      if (error instanceof SyntaxError) return null
      throw error
    }
    return value instanceof Object ? value : null
  }
}

/** Adds a task to the list `task:queue`, which never expires; gives its new length. Atomic: one RPUSH. */
export async function addTask(redis: Redis, task: object): Promise<number> {
  if (!(typeof task === 'object' && task)) throw new TypeError('a task must be an object')
  return TaskQueue.of(redis).add(task)
}

/** Takes the first task of `task:queue`, at most once. Malformed text goes to `task:queue:dead`. Neither expires. */
export async function getNextTask(redis: Redis): Promise<object | null> {
  return TaskQueue.of(redis).take()
}

/** How many tasks wait in `task:queue` (no expiry). */
export async function getQueueLength(redis: Redis): Promise<number> {
  return TaskQueue.of(redis).length()
}

/** Claims the first task: from `task:queue` to `task:processing` and `task:processing:since` in one script. No expiry. */
export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  if (typeof workerId !== 'string' || workerId === '') throw new TypeError('a worker id must be a non-empty string')
  return TaskQueue.of(redis).claim(workerId)
}

/** Ends the claim in `task:processing` and `task:processing:since`, atomically; false if it has ended already. */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('a receipt must be a string')
  return TaskQueue.of(redis).ack(receipt)
}

/** Puts stale claims back to the head of `task:queue`, in the order they were claimed, in one script. No expiry. */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number') throw new TypeError('olderThanMs must be a number')
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0) throw new RangeError('olderThanMs must be finite and not negative')
  return TaskQueue.of(redis).requeue(olderThanMs)
}

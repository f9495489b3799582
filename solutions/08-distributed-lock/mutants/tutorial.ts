// Mistake: the lock most tutorials print: SET NX PX with a random value, a script for the release, ten tries with
//          growing pauses; what Redis replies is the answer; no renewal, no token, and nobody notices a lost lease.
// Fails: answers-are-booleans, token-belongs-to-the-acquisition, tokens-rise, zero-wait-is-one-try, with-lock-gives-up, only-the-owner-releases
// Fails: bad-options-are-refused, bad-lease-lengths-are-refused, tokens-follow-ownership, tokens-rise-across-processes
// Fails: running-fn-keeps-the-lock, stale-owner-notices, signal-aborts-without-redis, result-survives-a-failed-release
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'

const RELEASE = `
  if redis.call("get", KEYS[1]) == ARGV[1] then
    return redis.call("del", KEYS[1])
  else
    return 0
  end
`
const EXTEND = `
  if redis.call("get", KEYS[1]) == ARGV[1] then
    return redis.call("pexpire", KEYS[1], ARGV[2])
  else
    return 0
  end
`

/** Thrown when all retries failed. */
export class LockTimeoutError extends Error {}

/** Distributed lock with the key lock:{name} and a TTL. */
export class DistributedLock {
  readonly fencingToken: number | null = null
  private readonly redis: Redis
  private readonly key: string
  private readonly value = randomUUID()
  private readonly ttlMs: number
  private readonly retryMs: number

  constructor(redis: Redis, name: string, options: { ttlMs?: number; retryMs?: number; waitMs?: number } = {}) {
    this.redis = redis
    this.key = `lock:${name}`
    this.ttlMs = options.ttlMs ?? 10_000
    this.retryMs = options.retryMs ?? 50
  }

  async acquire() {
    return this.redis.set(this.key, this.value, 'PX', this.ttlMs, 'NX')
  }

  async release() {
    return this.redis.eval(RELEASE, 1, this.key, this.value)
  }

  async extend(ttlMs: number) {
    return this.redis.eval(EXTEND, 1, this.key, this.value, ttlMs)
  }

  async withLock<T>(fn: (context: { token: number; signal: AbortSignal }) => Promise<T>): Promise<T> {
    for (let attempt = 0; attempt < 10; attempt++) {
      if (await this.acquire()) {
        try {
          return await fn({ token: 0, signal: new AbortController().signal })
        } finally {
          await this.release()
        }
      }
      await sleep(3 * this.retryMs * attempt)
    }
    throw new LockTimeoutError(`could not acquire ${this.key}`)
  }
}

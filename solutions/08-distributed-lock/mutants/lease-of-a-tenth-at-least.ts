// Mistake: a ttlMs of less than 100 is raised to 100.
// Fails: lease-ends-within-ttl
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'

/**
 * Taking a free lock and counting its token is one step: the order of tokens is the order of owners.
 *
 * KEYS[1] the lock · KEYS[2] the counter · ARGV[1] owner · ARGV[2] lease in ms
 * Returns the token, or nil when the lock is taken.
 */
const ACQUIRE = `
  if redis.call('EXISTS', KEYS[1]) == 1 then return nil end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return redis.call('INCR', KEYS[2])
`

/** KEYS[1] the lock · ARGV[1] owner · Returns 1 when it was the owner's and is free now. */
const RELEASE = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('DEL', KEYS[1])
`

/** KEYS[1] the lock · ARGV[1] owner · ARGV[2] lease in ms · Returns 1 when it is the owner's and now ends then. */
const EXTEND = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`

/** A timer of more milliseconds goes off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** `withLock` could not have the lock within `waitMs`; its function did not run. */
export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError'
}

/** One acquisition. */
interface Lease {
  readonly owner: string
  readonly token: number
  /** When it ends at the earliest, by this process's own monotonic clock. */
  endsAt: number
}

/**
 * The lock `lock:{name}`, held by at most one owner over all processes for as long as its lease lasts: the key expires
 * `ttlMs` after it was taken or renewed, so a crashed owner blocks nobody for longer. Every acquisition gets a higher
 * fencing token than all before it, counted in `lock:{name}:token`, which never expires.
 */
export class DistributedLock {
  readonly #redis: Redis
  readonly #key: string
  readonly #counter: string
  readonly #ttlMs: number
  readonly #retryMs: number
  readonly #waitMs: number
  #lease: Lease | null = null

  constructor(redis: Redis, name: string, options: { ttlMs?: number; retryMs?: number; waitMs?: number } = {}) {
    if (typeof name !== 'string') throw new TypeError('name must be a string')
    this.#redis = redis
    this.#key = `lock:${name}`
    this.#counter = `lock:${name}:token`
    this.#ttlMs = Math.max(100, milliseconds('ttlMs', options.ttlMs ?? 10_000, 1))
    this.#retryMs = milliseconds('retryMs', options.retryMs ?? 50, 1)
    this.#waitMs = milliseconds('waitMs', options.waitMs ?? 30_000, 0)
  }

  /** The token of the current acquisition; null before the first and after a release. */
  get fencingToken(): number | null {
    return this.#lease?.token ?? null
  }

  /** Takes the lock if it is free. One try: it never waits, and an owner that asks again is refused like anybody. */
  async acquire(): Promise<boolean> {
    return (await this.#take()) !== null
  }

  /** Frees the lock; false, and nothing changes, when this acquisition no longer owned it. */
  async release(): Promise<boolean> {
    return this.#lease !== null && this.#free(this.#lease)
  }

  /** Lets the lease end `ttlMs` from now; false, and nothing changes, when this acquisition no longer owns the lock. */
  async extend(ttlMs: number): Promise<boolean> {
    milliseconds('ttlMs', ttlMs, 1)
    return this.#lease !== null && this.#prolong(this.#lease, ttlMs)
  }

  /**
   * Runs `fn` while holding the lock, renewed as long as `fn` runs. `signal` aborts when the lease is lost; stopping
   * is then up to `fn`, and whatever it returns is returned. Throws LockTimeoutError after `waitMs` of waiting.
   */
  async withLock<T>(fn: (context: { token: number; signal: AbortSignal }) => Promise<T>): Promise<T> {
    const lease = await this.#wait()
    const renewal = this.#renew(lease)
    try {
      return await fn({ token: lease.token, signal: renewal.signal })
    } finally {
      renewal.stop()
      // A release that fails must not hide what fn did: the lease ends by itself.
      await this.#free(lease).catch(() => false)
    }
  }

  async #wait(): Promise<Lease> {
    const deadline = performance.now() + this.#waitMs
    for (;;) {
      const lease = await this.#take()
      if (lease) return lease
      const left = deadline - performance.now()
      if (left <= 0) throw new LockTimeoutError(`${this.#key} was not free within ${this.#waitMs} ms`)
      await sleep(Math.min(this.#retryMs, left))
    }
  }

  async #take(): Promise<Lease | null> {
    const owner = randomUUID()
    const askedAt = performance.now()
    const token = await this.#redis.eval(ACQUIRE, 2, this.#key, this.#counter, owner, this.#ttlMs)
    if (typeof token !== 'number') return null
    this.#lease = { owner, token, endsAt: askedAt + this.#ttlMs }
    return this.#lease
  }

  async #free(lease: Lease): Promise<boolean> {
    const freed = await this.#redis.eval(RELEASE, 1, this.#key, lease.owner)
    if (this.#lease === lease) this.#lease = null
    return freed === 1
  }

  async #prolong(lease: Lease, ttlMs: number): Promise<boolean> {
    const askedAt = performance.now()
    const prolonged = (await this.#redis.eval(EXTEND, 1, this.#key, lease.owner, ttlMs)) === 1
    if (prolonged) lease.endsAt = askedAt + ttlMs
    return prolonged
  }

  /** Renews every third of a lease. Aborts when the lock is another's, or when the lease ran out unrenewed. */
  #renew(lease: Lease): { readonly signal: AbortSignal; stop(): void } {
    const loss = new AbortController()
    let asking = false
    const stop = (): void => clearInterval(timer)
    const lose = (): void => {
      stop()
      loss.abort(new Error(`the lease on ${this.#key} is lost`))
    }
    const tick = async (): Promise<void> => {
      if (performance.now() >= lease.endsAt) return lose()
      if (asking) return
      asking = true
      try {
        if (!(await this.#prolong(lease, this.#ttlMs))) lose()
      } catch {
        // Out of reach for now: the lease may still be renewed in time, and the next tick sees when it was not.
      } finally {
        asking = false
      }
    }
    const timer = setInterval(() => void tick(), Math.min(Math.ceil(this.#ttlMs / 3), LONGEST_TIMER_MS))
    return { signal: loss.signal, stop }
  }
}

function milliseconds(name: string, value: number, least: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number of milliseconds`)
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`${name} must be an integer, ${least} or more`)
  return value
}

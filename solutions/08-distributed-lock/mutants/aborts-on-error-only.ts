// Mistake: The signal aborts when a renewal fails; one that never comes back is waited for.
// Fails: signal-aborts-without-redis
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'

const ACQUIRE = `
  if redis.call('EXISTS', KEYS[1]) == 1 then return nil end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return redis.call('INCR', KEYS[2])
`
const RELEASE = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('DEL', KEYS[1])
`
const EXTEND = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`

/** The lock could not be had within `waitMs`. */
export class LockTimeoutError extends Error {}

interface Lease { readonly owner: string; readonly token: number; endsAt: number }

/** `lock:{name}` expires `ttlMs` after it was taken or renewed; its tokens are counted in `lock:{name}:token`. */
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
    this.#ttlMs = milliseconds(options.ttlMs ?? 10_000, 1)
    this.#retryMs = milliseconds(options.retryMs ?? 50, 1)
    this.#waitMs = milliseconds(options.waitMs ?? 30_000, 0)
  }

  get fencingToken(): number | null {
    return this.#lease?.token ?? null
  }

  async acquire(): Promise<boolean> {
    return (await this.#take()) !== null
  }

  async release(): Promise<boolean> {
    return this.#lease !== null && this.#free(this.#lease)
  }

  async extend(ttlMs: number): Promise<boolean> {
    milliseconds(ttlMs, 1)
    return this.#lease !== null && this.#prolong(this.#lease, ttlMs)
  }

  async withLock<T>(fn: (context: { token: number; signal: AbortSignal }) => Promise<T>): Promise<T> {
    const lease = await this.#wait()
    const renewal = this.#renew(lease)
    try {
      return await fn({ token: lease.token, signal: renewal.signal })
    } finally {
      renewal.stop()
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

  #renew(lease: Lease): { readonly signal: AbortSignal; stop(): void } {
    const loss = new AbortController()
    const stop = (): void => clearInterval(timer)
    const lose = (): void => {
      stop()
      loss.abort()
    }
    const tick = async (): Promise<void> => {
      const kept = await this.#prolong(lease, this.#ttlMs).catch(() => false)
      if (!kept) lose()
    }
    const timer = setInterval(() => void tick(), Math.ceil(this.#ttlMs / 3))
    return { signal: loss.signal, stop }
  }
}

function milliseconds(value: number, least: number): number {
  if (typeof value !== 'number') throw new TypeError('not a number of milliseconds')
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`must be an integer, ${least} or more`)
  return value
}

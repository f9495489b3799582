// Way: Scripts by their SHA, sent again when the server has forgotten them; calls of one object queue up in memory;
//      fn is given an instance of a class.
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'

const ACQUIRE = script(`
  if redis.call('EXISTS', KEYS[1]) == 1 then return nil end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return redis.call('INCR', KEYS[2])
`)
const RELEASE = script(`
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('DEL', KEYS[1])
`)
const EXTEND = script(`
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`)

/** The lock could not be had within `waitMs`. */
export class LockTimeoutError extends Error {}

interface Script { readonly text: string; readonly sha: string }

class Holding {
  readonly token: number
  readonly signal: AbortSignal
  constructor(token: number, signal: AbortSignal) {
    this.token = token
    this.signal = signal
  }
}

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
  #queue: Promise<unknown> = Promise.resolve()

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
    const turn = this.#queue.then(() => this.#wait())
    const done = turn.then((lease) => this.#inside(lease, fn))
    this.#queue = done.catch(() => {})
    return done
  }

  async #inside<T>(lease: Lease, fn: (context: { token: number; signal: AbortSignal }) => Promise<T>): Promise<T> {
    const renewal = this.#renew(lease)
    try {
      return await fn(new Holding(lease.token, renewal.signal))
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
    const token = await this.#run(ACQUIRE, [this.#key, this.#counter], owner, this.#ttlMs)
    if (typeof token !== 'number') return null
    this.#lease = { owner, token, endsAt: askedAt + this.#ttlMs }
    return this.#lease
  }

  async #free(lease: Lease): Promise<boolean> {
    const freed = await this.#run(RELEASE, [this.#key], lease.owner)
    if (this.#lease === lease) this.#lease = null
    return freed === 1
  }

  async #prolong(lease: Lease, ttlMs: number): Promise<boolean> {
    const askedAt = performance.now()
    const prolonged = (await this.#run(EXTEND, [this.#key], lease.owner, ttlMs)) === 1
    if (prolonged) lease.endsAt = askedAt + ttlMs
    return prolonged
  }

  async #run({ text, sha }: Script, keys: readonly string[], ...args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(sha, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return this.#redis.eval(text, keys.length, ...keys, ...args)
    }
  }

  #renew(lease: Lease): { readonly signal: AbortSignal; stop(): void } {
    const loss = new AbortController()
    const stop = (): void => clearInterval(timer)
    const lose = (): void => {
      stop()
      loss.abort()
    }
    const tick = async (): Promise<void> => {
      if (performance.now() >= lease.endsAt) return lose()
      const kept = await this.#prolong(lease, this.#ttlMs).catch(() => true)
      if (!kept) lose()
    }
    const timer = setInterval(() => void tick(), Math.ceil(this.#ttlMs / 3))
    return { signal: loss.signal, stop }
  }
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

function milliseconds(value: number, least: number): number {
  if (typeof value !== 'number') throw new TypeError('not a number of milliseconds')
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`must be an integer, ${least} or more`)
  return value
}

// Mistake: an fn that throws before it returns a promise leaves the lock taken and the renewal running for ever
// Fails: lock-is-free-after-an-error
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'

const ACQUIRE = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
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
const LONGEST_TIMER = 2 ** 31 - 1

interface Lease {
  readonly id: string
  readonly token: number
}

function integer(what: string, value: number, least: number): number {
  if (typeof value !== 'number') throw new TypeError(`${what} must be a number`)
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`${what} must be an integer of at least ${least}`)
  return value
}

/** Thrown by `withLock` when the key `lock:{name}` was not to be had within `waitMs`; `fn` has not run, nothing expires. */
export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError'
}

/**
 * A lease on the key `lock:{name}`, which expires `ttlMs` after the acquisition or the last renewal. Taking, extending and
 * releasing are one script each, so atomic; tokens are counted at `lock:{name}:token`, which never expires, in the script
 * that takes the lock: a later owner has a higher one.
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
    const { ttlMs = 10_000, retryMs = 50, waitMs = 30_000 } = options
    this.#ttlMs = integer('ttlMs', ttlMs, 1)
    this.#retryMs = integer('retryMs', retryMs, 1)
    this.#waitMs = integer('waitMs', waitMs, 0)
    this.#redis = redis
    this.#key = `lock:${name}`
    this.#counter = `lock:${name}:token`
  }

  /** The token of the current acquisition. */
  get fencingToken(): number | null {
    return this.#lease?.token ?? null
  }

  /** Tries once to take the lock. */
  async acquire(): Promise<boolean> {
    return (await this.#take()) !== null
  }

  /** Gives the lock back; true only if it was still this acquisition's. */
  async release(): Promise<boolean> {
    const lease = this.#lease
    return lease !== null && this.#give(lease)
  }

  /** Lets the lease end `ttlMs` from now, if it is still this acquisition's. */
  async extend(ttlMs: number): Promise<boolean> {
    integer('ttlMs', ttlMs, 1)
    const lease = this.#lease
    return lease !== null && this.#prolong(lease, ttlMs)
  }

  /** Waits for the lock, runs `fn` while renewing the lease, and gives the lock back. */
  async withLock<T>(fn: (context: { token: number; signal: AbortSignal }) => Promise<T>): Promise<T> {
    const { lease, sentAt } = await this.#wait()
    const lost = new AbortController()
    const keeper = this.#keep(lease, sentAt, lost)
    const running = fn({ token: lease.token, signal: lost.signal })
    try {
      return await running
    } finally {
      keeper.stop()
      await this.#give(lease).catch(() => false)
    }
  }

  async #take(): Promise<Lease | null> {
    const id = randomUUID()
    const token = Number(await this.#redis.eval(ACQUIRE, 2, this.#key, this.#counter, id, this.#ttlMs))
    if (token === 0) return null
    this.#lease = { id, token }
    return this.#lease
  }

  async #give(lease: Lease): Promise<boolean> {
    const released = (await this.#redis.eval(RELEASE, 1, this.#key, lease.id)) === 1
    if (this.#lease === lease) this.#lease = null
    return released
  }

  async #prolong(lease: Lease, ttlMs: number): Promise<boolean> {
    return (await this.#redis.eval(EXTEND, 1, this.#key, lease.id, ttlMs)) === 1
  }

  async #wait(): Promise<{ lease: Lease; sentAt: number }> {
    const end = performance.now() + this.#waitMs
    for (;;) {
      const sentAt = performance.now()
      const lease = await this.#take()
      if (lease) return { lease, sentAt }
      const left = end - performance.now()
      if (left <= 0) throw new LockTimeoutError(`${this.#key} was not free within ${this.#waitMs} ms`)
      await sleep(Math.min(this.#retryMs, left, LONGEST_TIMER))
    }
  }

  #keep(lease: Lease, sentAt: number, lost: AbortController): { stop(): void } {
    let end = sentAt + this.#ttlMs
    let stopped = false
    let timer: NodeJS.Timeout | undefined
    let deadline: NodeJS.Timeout | undefined
    const stop = (): void => {
      stopped = true
      clearTimeout(timer)
      clearTimeout(deadline)
    }
    const lose = (): void => {
      if (stopped) return
      stop()
      lost.abort(new Error(`${this.#key} was lost`))
    }
    const watch = (): void => {
      clearTimeout(deadline)
      const left = end - performance.now()
      deadline = setTimeout(left > LONGEST_TIMER ? watch : lose, Math.max(0, Math.min(left, LONGEST_TIMER)))
    }
    const renew = async (): Promise<void> => {
      const at = performance.now()
      try {
        const kept = await this.#prolong(lease, this.#ttlMs)
        if (stopped) return
        if (!kept) return lose()
        end = at + this.#ttlMs
        watch()
      } catch {
        // The deadline decides; the next renewal may get through.
      }
      if (!stopped) plan()
    }
    const plan = (): void => {
      timer = setTimeout(() => void renew(), Math.min(Math.max(1, this.#ttlMs / 3), LONGEST_TIMER))
    }
    watch()
    plan()
    return { stop }
  }
}

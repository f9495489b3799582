import type { Redis } from 'ioredis'

export class LockTimeoutError extends Error {}

export class DistributedLock {
  constructor(redis: Redis, name: string, options?: { ttlMs?: number; retryMs?: number; waitMs?: number }) {
    throw new Error('TODO: keep the client, the name and the options')
  }

  get fencingToken(): number | null {
    throw new Error('TODO: the token of the current acquisition')
  }

  acquire(): Promise<boolean> {
    throw new Error('TODO: try once to take the lock')
  }

  release(): Promise<boolean> {
    throw new Error('TODO: give the lock back, if it is still yours')
  }

  extend(ttlMs: number): Promise<boolean> {
    throw new Error('TODO: let the lease end ttlMs from now, if it is still yours')
  }

  withLock<T>(fn: (context: { token: number; signal: AbortSignal }) => Promise<T>): Promise<T> {
    throw new Error('TODO: wait for the lock, keep it while fn runs, then give it back')
  }
}

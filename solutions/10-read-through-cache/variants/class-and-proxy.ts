// Way: a class holds the client; the wrapped function is a proxy of the function.
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

type Cached<A extends unknown[], R> = ((...args: A) => Promise<R>) & { invalidate(...args: A): Promise<boolean> }

/**
 * Caches the results of functions under `{prefix}:{name}:{SHA-1 of the arguments}`, each for `expire` seconds from the
 * moment at which it was written by one SET. A failing Redis only means that functions are called.
 */
export const cacheWithRedis = (redis: Redis, options: { name: string; expire?: number; prefix?: string }) => {
  const cache = new Cache(redis, options.name, options.expire ?? 3600, options.prefix)
  return <A extends unknown[], R>(fn: (...args: A) => Promise<R>): Cached<A, R> => {
    const invalidate = (...args: A): Promise<boolean> => cache.delete(args)
    return new Proxy(fn, {
      apply: (target, self: unknown, args: A) => cache.get(args, () => Reflect.apply(target, self, args) as Promise<R>),
      get: (target, property) => (property === 'invalidate' ? invalidate : (Reflect.get(target, property) as unknown)),
    }) as Cached<A, R>
  }
}

class Cache {
  private readonly redis: Redis
  private readonly expire: number
  private readonly start: string

  constructor(redis: Redis, name: string, expire: number, prefix = 'cache') {
    this.redis = redis
    this.expire = expire
    if (typeof expire !== 'number') throw new TypeError('expire must be a number')
    if (expire <= 0 || !Number.isInteger(expire)) throw new RangeError('expire must be a positive integer')
    this.start = [prefix, name, ''].join(':')
    if (Buffer.byteLength(this.start) > 152) throw new RangeError('prefix and name are too long')
  }

  async get<R>(args: unknown[], load: () => Promise<R>): Promise<R> {
    const key = this.key(args)
    const stored = key === undefined ? null : await this.redis.get(key).catch(() => null)
    if (stored !== null) {
      try {
        return revive(JSON.parse(stored)) as R
      } catch {
        // Computed anew, and written over.
      }
    }
    const value = await load()
    const text = value === undefined ? null : encode(value)
    if (key !== undefined && text !== null) await this.redis.setex(key, this.expire, text).catch(() => null)
    return value
  }

  async delete(args: unknown[]): Promise<boolean> {
    const key = this.key(args)
    return key !== undefined && (await this.redis.unlink(key)) > 0
  }

  private key(args: unknown[]): string | undefined {
    const text = encode(args)
    return text === null ? undefined : this.start + createHash('sha1').update(text).digest('hex')
  }
}

/** The value as text, null where it cannot be told faithfully. Equal values give equal text, different ones never do. */
function encode(value: unknown): string | null {
  try {
    return JSON.stringify(tag(value, []))
  } catch {
    return null
  }
}

/**
 * JSON for what JSON can tell; everything else is `{ $: kind, of: … }`, and so is an object that has a `$` of its own.
 * `path` holds the objects around the value, to notice circles; they make it throw, as do functions and instances.
 */
function tag(value: unknown, path: readonly object[]): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: 'number', of: Object.is(value, -0) ? '-0' : String(value) }
    case 'undefined':
      return { $: 'undefined' }
    case 'bigint':
      return { $: 'bigint', of: String(value) }
    case 'object':
      return value === null ? null : tagObject(value, path)
    default:
      throw new TypeError('no plain value')
  }
}

function tagObject(object: object, path: readonly object[]): unknown {
  if (path.includes(object)) throw new TypeError('a circle')
  const inner = (value: unknown): unknown => tag(value, [...path, object])
  switch (Object.getPrototypeOf(object)) {
    case Date.prototype:
      return { $: 'date', of: (object as Date).getTime() }
    case Map.prototype:
      return { $: 'map', of: Array.from(object as Map<unknown, unknown>, ([key, value]) => [inner(key), inner(value)]) }
    case Set.prototype:
      return { $: 'set', of: Array.from(object as Set<unknown>, inner) }
    case Array.prototype:
      return Array.from(object as unknown[], inner)
    case Object.prototype:
      return tagPlain(object, inner)
    default:
      throw new TypeError('no plain value')
  }
}

/** Sorted by key: the order in which an object was filled does not matter. */
function tagPlain(object: object, inner: (value: unknown) => unknown): unknown {
  if (Object.getOwnPropertySymbols(object).length > 0) throw new TypeError('a key that is no text')
  const entries = Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, inner(value)] as const)
  return Object.hasOwn(object, '$') ? { $: 'object', of: entries } : Object.fromEntries(entries)
}

/** The way back; throws for what `tag` has not made. */
function revive(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(revive)
  if (!Object.hasOwn(json, '$')) return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, revive(value)]))
  const { $: kind, of } = json as { $: unknown; of?: unknown }
  switch (kind) {
    case 'undefined':
      return undefined
    case 'number':
      return Number(of)
    case 'bigint':
      return BigInt(of as string)
    case 'date':
      return new Date(of === null ? NaN : (of as number))
    case 'map':
      return new Map(pairs(of))
    case 'set':
      return new Set((of as unknown[]).map(revive))
    case 'object':
      return Object.fromEntries(pairs(of))
    default:
      throw new TypeError(`an entry of an unknown kind: ${String(kind)}`)
  }
}

const pairs = (of: unknown): [string, unknown][] => (of as [string, unknown][]).map(([key, value]) => [revive(key) as string, revive(value)])

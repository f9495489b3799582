// Mistake: hashes the arguments as latin1, which keeps the low byte of each letter: š and a are one.
// Fails: different-arguments-never-share
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

/** What is left for the arguments in a key of at most 256 bytes: two colons and 64 digits of a hash. */
const MAX_NAME_BYTES = 150

/**
 * Caches results of async functions in Redis: `{prefix}:{name}:{hash of the arguments}`, a string that expires `expire`
 * seconds after it was written, whatever reads it. Value and expiry are written by one command.
 *
 * The cache only ever helps: without Redis, and for values it cannot write down, the wrapped function is simply called.
 * Throws a RangeError for names that are too long and for an `expire` that is no positive integer.
 */
export function cacheWithRedis(redis: Redis, options: { name: string; expire?: number; prefix?: string }) {
  const { name, expire = 3600, prefix = 'cache' } = options
  if (!Number.isSafeInteger(expire) || expire < 1) throw new RangeError('expire must be a positive integer')
  if (Buffer.byteLength(prefix + name) > MAX_NAME_BYTES) {
    throw new RangeError(`prefix and name must not be longer than ${MAX_NAME_BYTES} bytes together`)
  }

  const keyOf = (args: unknown[]): string | null => {
    const text = encode(args)
    return text === null ? null : `${prefix}:${name}:${createHash('sha256').update(text, 'latin1').digest('hex')}`
  }

  /** The value in a box, for it may be null or false; null where there is none that can be read. */
  const read = async (key: string): Promise<{ value: unknown } | null> => {
    try {
      const text = await redis.get(key)
      return text === null ? null : { value: revive(JSON.parse(text)) }
    } catch {
      return null
    }
  }

  const write = async (key: string, value: unknown): Promise<void> => {
    const text = value === undefined ? null : encode(value)
    if (text === null) return
    try {
      await redis.set(key, text, 'EX', expire)
    } catch {
      // Not cached, but computed: the caller gets what it asked for.
    }
  }

  return <A extends unknown[], R>(fn: (...args: A) => Promise<R>) => {
    async function cached(this: unknown, ...args: A): Promise<R> {
      const key = keyOf(args)
      if (key === null) return fn.apply(this, args)
      const hit = await read(key)
      if (hit) return hit.value as R
      const value = await fn.apply(this, args)
      await write(key, value)
      return value
    }

    async function invalidate(...args: A): Promise<boolean> {
      const key = keyOf(args)
      return key !== null && (await redis.del(key)) === 1
    }

    return Object.assign(cached, { invalidate })
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

// Mistake: the key for the write is made again after the call: a function that changes its argument is cached under the changed one
// Fails: different-arguments-never-share
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

class Unsupported extends Error {}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.getOwnPropertySymbols(value).length === 0
}

function dense(list: unknown[]): boolean {
  return Object.getPrototypeOf(list) === Array.prototype && Reflect.ownKeys(list).length === list.length + 1
}

/** Numbers, strings, booleans and null stand for themselves; all else is a list that starts with its kind. */
function encode(value: unknown, path: object[] = []): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0) ? value : ['number', Object.is(value, -0) ? '-0' : String(value)]
  }
  if (value === undefined) return ['undefined']
  if (typeof value === 'bigint') return ['bigint', String(value)]
  if (typeof value !== 'object') throw new Unsupported(typeof value)
  if (path.includes(value)) throw new Unsupported('circular')
  const inner = [...path, value]
  const each = (item: unknown): Json => encode(item, inner)
  if (Array.isArray(value)) {
    if (!dense(value)) throw new Unsupported('array')
    return ['array', ...value.map(each)]
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Reflect.ownKeys(value).length === 0) {
    if (value instanceof Date && prototype === Date.prototype) return ['date', encode(value.getTime())]
    if (value instanceof Map && prototype === Map.prototype) return ['map', ...[...value].flat().map(each)]
    if (value instanceof Set && prototype === Set.prototype) return ['set', ...[...value].map(each)]
  }
  if (!isPlain(value)) throw new Unsupported('class instance')
  if (Object.getPrototypeOf(value) === null) throw new Unsupported('no prototype')
  const out: Json = ['object']
  for (const [key, item] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) out.push(key, each(item))
  return out
}

/** A result: plain JSON is kept as it is (`j…`), anything else encoded (`e…`). */
function toText(result: unknown): string {
  const encoded = encode(result)
  return simple(result) ? `j${JSON.stringify(result)}` : `e${JSON.stringify(encoded)}`
}

function simple(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.every(simple)
  return isPlain(value) && !Object.hasOwn(value, '__proto__') && Object.values(value).every(simple)
}

function decode(value: unknown): unknown {
  if (!Array.isArray(value)) {
    if (typeof value === 'object' && value !== null) throw new SyntaxError('no object expected')
    return value
  }
  const [kind, ...rest] = value as [string, ...unknown[]]
  const items = (): unknown[] => rest.map(decode)
  switch (kind) {
    case 'undefined': return undefined
    case 'number': return Number(rest[0])
    case 'bigint': return BigInt(String(rest[0]))
    case 'date': return new Date(Number(decode(rest[0])))
    case 'array': return items()
    case 'set': return new Set(items())
    case 'map': return new Map(pairs(items()))
    case 'object': {
      const object = {}
      for (const [key, item] of pairs(rest)) {
        Object.defineProperty(object, String(key), { value: decode(item), enumerable: true, writable: true, configurable: true })
      }
      return object
    }
    default: throw new SyntaxError(`unknown kind ${String(kind)}`)
  }
}

function pairs(flat: unknown[]): Array<[unknown, unknown]> {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]])
}

function fromText(text: string): { value: unknown } | null {
  try {
    if (text.startsWith('j')) return { value: JSON.parse(text.slice(1)) }
    if (text.startsWith('e')) return { value: decode(JSON.parse(text.slice(1))) }
  } catch {
    // unreadable: a miss
  }
  return null
}

function checkedOptions(options: { name: string; expire?: number; prefix?: string }): { name: string; expire: number; prefix: string } {
  const { name, expire = 3600, prefix = 'cache' } = options
  if (typeof name !== 'string' || typeof prefix !== 'string') throw new TypeError('name and prefix are strings')
  if (Buffer.byteLength(name) + Buffer.byteLength(prefix) > 150) throw new RangeError('name and prefix are too long')
  if (typeof expire !== 'number') throw new TypeError('expire is a number')
  if (!Number.isSafeInteger(expire) || expire < 1) throw new RangeError('expire is a positive integer')
  return { name, expire, prefix }
}

/**
 * Wraps functions in a cache. An entry is the string `{prefix}:{name}:{SHA-256 of the arguments}`, set together with its
 * expiry (`expire` seconds, 3600 by default) by one SET. If Redis fails the function is called and its result returned;
 * arguments that cannot be told apart are called through. `invalidate` rejects if Redis fails.
 */
export function cacheWithRedis(
  redis: Redis,
  options: { name: string; expire?: number; prefix?: string },
): <A extends unknown[], R>(fn: (...args: A) => Promise<R>) => ((...args: A) => Promise<R>) & { invalidate(...args: A): Promise<boolean> } {
  const { name, expire, prefix } = checkedOptions(options)

  const keyOf = (args: unknown[]): string | null => {
    try {
      const text = JSON.stringify([prefix, name, args.map((arg) => encode(arg))])
      return `${prefix}:${name}:${createHash('sha256').update(text).digest('hex')}`
    } catch (error) {
      if (error instanceof Unsupported || error instanceof RangeError) return null
      throw error
    }
  }

  return <A extends unknown[], R>(fn: (...args: A) => Promise<R>) => {
    async function cached(this: unknown, ...args: A): Promise<R> {
      const key = keyOf(args)
      if (key === null) return fn.apply(this, args)
      try {
        const text = await redis.get(key)
        const hit = text === null ? null : fromText(text)
        if (hit) return hit.value as R
      } catch {
        // not readable: like a miss
      }
      const result = await fn.apply(this, args)
      if (result !== undefined) {
        try {
          await redis.set(keyOf(args) ?? key, toText(result), 'EX', expire)
        } catch {
          // the result counts, not the entry
        }
      }
      return result
    }
    const invalidate = async (...args: A): Promise<boolean> => {
      const key = keyOf(args)
      return key !== null && (await redis.del(key)) > 0
    }
    return Object.assign(cached, { invalidate })
  }
}

// Way: without async: chains of then and catch; everything of a kind that JSON does not have is an array with a tag.
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

interface Options {
  name: string
  expire?: number
  prefix?: string
}

/**
 * A read-through cache over `{prefix}:{name}:{md5}{sha1}` of the arguments: strings set together with their expiry of
 * `expire` seconds. Results are returned even if Redis is away; at least one process computes each of them.
 */
export function cacheWithRedis(redis: Redis, { name, expire = 3600, prefix = 'cache' }: Options) {
  if (!Number.isInteger(expire) || expire < 1) throw new RangeError(`expire: ${expire}`)
  if (Buffer.byteLength(name) + Buffer.byteLength(prefix) > 150) throw new RangeError('name and prefix: more than 150 bytes')
  const digest = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex')
  const keyOf = (args: unknown[]): string => {
    const text = write(args)
    return `${prefix}:${name}:${digest('md5', text)}${digest('sha1', text)}`
  }
  return function cache<A extends unknown[], R>(fn: (...args: A) => Promise<R>) {
    function cached(this: unknown, ...args: A): Promise<R> {
      let key: string
      try {
        key = keyOf(args)
      } catch (error) {
        return Promise.reject(error as Error)
      }
      const store = (value: R): Promise<R> => {
        let text: string
        try {
          text = write(value)
        } catch {
          return Promise.resolve(value)
        }
        return value === undefined ? Promise.resolve(value) : redis.set(key, text, 'EX', expire).then(() => value, () => value)
      }
      return redis.get(key)
        .then((text) => ({ value: read(JSON.parse(text ?? 'missing')) as R }))
        .catch(() => null)
        .then((hit) => (hit ? hit.value : fn.apply(this, args).then(store)))
    }
    cached.invalidate = (...args: A): Promise<boolean> => Promise.resolve(args).then(keyOf).then((key) => redis.del(key)).then(Boolean)
    return cached
  }
}

const write = (value: unknown): string => JSON.stringify(tagged(value, new Set()))

/** Strings, finite numbers, booleans and null as they are; plain objects as objects; all else as `[tag, …]`. */
function tagged(value: unknown, around: Set<unknown>): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : ['number', `${value}`]
  if (typeof value === 'undefined') return ['undefined']
  if (typeof value === 'bigint') return ['bigint', `${value}`]
  if (typeof value !== 'object' || around.has(value)) throw new TypeError('cannot be written')
  around.add(value)
  try {
    const part = (x: unknown): unknown => tagged(x, around)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Array.prototype) return ['array', ...(value as unknown[]).map(part)]
    if (prototype === Date.prototype) return ['date', part((value as Date).getTime())]
    if (prototype === Set.prototype) return ['set', ...[...(value as Set<unknown>)].map(part)]
    if (prototype === Map.prototype) return ['map', ...[...(value as Map<unknown, unknown>)].flat(1).map(part)]
    if (prototype !== Object.prototype) throw new TypeError('cannot be written')
    const sorted = Object.entries(value).sort(([a], [b]) => Number(a > b) - Number(a < b))
    return Object.fromEntries(sorted.map(([key, x]) => [key, part(x)]))
  } finally {
    around.delete(value)
  }
}

function read(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (!Array.isArray(json)) return Object.fromEntries(Object.entries(json).map(([key, x]) => [key, read(x)]))
  const [tag, ...parts] = json.map(read) as [string, ...unknown[]]
  switch (tag) {
    case 'array': return parts
    case 'undefined': return undefined
    case 'number': return Number(parts[0])
    case 'bigint': return BigInt(parts[0] as string)
    case 'date': return new Date(parts[0] as number)
    case 'set': return new Set(parts)
    case 'map': return new Map(Array.from({ length: parts.length / 2 }, (_, i) => [parts[2 * i], parts[2 * i + 1]]))
    default: throw new TypeError(`no tag: ${tag}`)
  }
}

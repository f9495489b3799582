/**
 * Values that cross the pipe between the grader and a host, as plain JSON.
 *
 * Plain data is copied. What has behaviour or identity (functions, class instances, errors) stays
 * where it is and travels as a reference; when it comes home, it is the very same object again.
 * What learner code hands to a callback is data: there, instances of its classes are copied as well.
 * Everything that arrives is data: no getters, no prototypes, no thenables, bounded depth and size.
 */
export interface Codec {
  /** `copied`: an instance of a class travels as a plain object of its fields and accessors, unless it is an EventTarget. */
  encode(value: unknown, copied?: boolean): Json
  decode(json: Json): unknown
  /** The object this side handed out under `id`, or undefined. */
  local(id: string): unknown
  /** Forgets everything handed out and received. */
  clear(): void
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export interface CodecOptions {
  /** Prefix of the ids this side hands out; the two sides differ. */
  readonly side: 'g' | 'h'
  /** Turns a function of the other side into one that can be called here; `owner` tells where a method was found. */
  remoteFunction(id: string, name: string, owner: Owner | null): unknown
  remoteInstance(id: string, className: string): unknown
  remoteError(id: string, facts: ErrorFacts): unknown
  /** Grader: a client's handle → its id. Host: an id → the client. */
  readonly clients: { idOf(value: object): string | undefined; byId(id: string): unknown }
}

/** A plain object of the other side and the name of its method. */
export interface Owner {
  readonly id: string
  readonly key: string
}

/** What is known about an error of the other side: strings only, bounded. */
export interface ErrorFacts {
  readonly name: string
  readonly message: string
  readonly stack: string
  /** Names of its classes, most derived first: `['LockTimeoutError', 'Error']`. */
  readonly classes: readonly string[]
  /** `code` or `type` where it is a string or a number. */
  readonly code: string | null
}

const MAX_DEPTH = 64
const MAX_NODES = 200_000
/** Characters of all strings of one value together; bytes count for one and a third. */
const MAX_CHARACTERS = 4_000_000

export function createCodec(options: CodecOptions): Codec {
  const handedOut = new Map<string, object>()
  const idOf = new WeakMap<object, string>()
  const origin = new WeakMap<object, string>()
  const received = new Map<string, WeakRef<object>>()
  let next = 0

  const handOut = (value: object): string => {
    let id = idOf.get(value)
    if (id === undefined || !handedOut.has(id)) {
      id = `${options.side}${++next}`
      idOf.set(value, id)
      handedOut.set(id, value)
    }
    return id
  }

  const receive = (id: string, make: () => unknown, owner: Owner | null = null): unknown => {
    // One function may be a method of several objects.
    const place = owner ? `${id} ${owner.id} ${owner.key}` : id
    const known = received.get(place)?.deref()
    if (known !== undefined) return known
    const made = make()
    if (isObject(made)) {
      origin.set(made, id)
      received.set(place, new WeakRef(made))
    }
    return made
  }

  return {
    encode(value, copied = false) {
      const seen = new Map<object, number>()
      let nodes = 0
      let characters = 0
      const count = (): void => {
        if (++nodes > MAX_NODES) throw new RangeError(`a value of more than ${MAX_NODES} parts`)
      }
      const visit = (v: unknown, depth: number): Json => {
        if (depth > MAX_DEPTH) throw new RangeError(`a value nested more than ${MAX_DEPTH} levels deep`)
        count()
        if (typeof v === 'string') characters += v.length
        if (v instanceof Uint8Array) characters += (v.byteLength * 4) / 3
        if (characters > MAX_CHARACTERS) throw new RangeError(`a value of more than ${MAX_CHARACTERS} characters`)
        if (v === null || typeof v === 'boolean' || typeof v === 'string') return v
        if (typeof v === 'number') return Number.isFinite(v) && !Object.is(v, -0) ? v : { $: 'n', v: numberName(v) }
        if (typeof v === 'undefined') return { $: 'u' }
        if (typeof v === 'bigint') return { $: 'i', v: v.toString() }
        if (typeof v === 'symbol') return { $: 'y', v: String(v.description) }
        const object = v as object
        const client = options.clients.idOf(object)
        if (client !== undefined) return { $: 'c', v: client }
        const home = origin.get(object)
        if (home !== undefined) return { $: 'h', v: home }
        const at = seen.get(object)
        if (at !== undefined) return { $: '#', v: at }
        seen.set(object, seen.size)
        const inner = (x: unknown): Json => visit(x, depth + 1)
        if (typeof object === 'function') return { $: 'f', v: handOut(object), n: String(object.name).slice(0, 100) }
        if (object instanceof Date) return { $: 'd', v: Number.isNaN(object.getTime()) ? null : object.getTime() }
        if (object instanceof Uint8Array) {
          return { $: 'b', v: Buffer.from(object.buffer, object.byteOffset, object.byteLength).toString('base64') }
        }
        if (object instanceof Map) return { $: 'm', v: [...object].map(([k, x]) => [inner(k), inner(x)]) }
        if (object instanceof Set) return { $: 's', v: [...object].map(inner) }
        if (object instanceof Error) return { $: 'e', v: handOut(object), f: { ...describeError(object) } as never }
        if (Array.isArray(object)) return { $: 'a', v: Array.from(object, inner) }
        // An AbortSignal is asked later whether it has aborted: a copy would go on saying that it has not.
        const fields = isPlain(object) ? Object.entries(object) : copied && !(object instanceof EventTarget) ? fieldsOf(object) : null
        if (fields) return { $: 'o', v: fields.map(([k, x]) => [k, member(object, k, x, depth + 1)]) }
        return { $: 'r', v: handOut(object), n: className(object) }
      }
      // Learner code may return objects whose methods use `this`: each method tells where it was found, and is no shared part.
      const member = (owner: object, key: string, v: unknown, depth: number): Json => {
        if (options.side !== 'h' || typeof v !== 'function' || origin.has(v)) return visit(v, depth)
        count()
        return { $: 'f', v: handOut(v), n: String(v.name).slice(0, 100), o: handOut(owner), k: key }
      }
      return visit(value, 0)
    },

    decode(json) {
      const seen: unknown[] = []
      let nodes = 0
      const visit = (j: Json | undefined, depth: number): unknown => {
        if (depth > 2 * MAX_DEPTH || ++nodes > 2 * MAX_NODES) throw new RangeError('a value that is too deep or too large')
        if (j === null || typeof j === 'boolean' || typeof j === 'string' || typeof j === 'number') return j
        if (j === undefined || Array.isArray(j)) throw new TypeError('a value that the codec did not make')
        const inner = (x: Json | undefined): unknown => visit(x, depth + 1)
        const { v } = j
        const place = <T>(made: T): T => {
          seen.push(made)
          return made
        }
        switch (j.$) {
          case 'u': return undefined
          case 'n': return v === '-0' ? -0 : v === 'Infinity' ? Infinity : v === '-Infinity' ? -Infinity : NaN
          case 'i': return BigInt(text(v))
          case 'y': return Symbol(text(v))
          case 'c': return options.clients.byId(text(v))
          case 'h': return handedOut.get(text(v))
          case '#': {
            if (typeof v !== 'number' || !(v in seen)) throw new TypeError('a reference to nothing')
            return seen[v]
          }
          case 'f': {
            const owner = j.o === undefined ? null : { id: text(j.o), key: text(j.k) }
            const f = receive(text(v), () => options.remoteFunction(text(v), text(j.n), owner), owner)
            return owner ? f : place(f)
          }
          case 'r': return place(receive(text(v), () => options.remoteInstance(text(v), text(j.n))))
          case 'e': return place(receive(text(v), () => options.remoteError(text(v), checkFacts(j.f))))
          case 'd': return place(new Date(typeof v === 'number' ? v : NaN))
          case 'b': return place(Buffer.from(text(v), 'base64'))
          case 'm': {
            const map = place(new Map())
            for (const pair of list(v)) map.set(inner(list(pair)[0]), inner(list(pair)[1]))
            return map
          }
          case 's': {
            const set = place(new Set())
            for (const x of list(v)) set.add(inner(x))
            return set
          }
          case 'a': {
            const array = place([] as unknown[])
            for (const x of list(v)) array.push(inner(x))
            return array
          }
          case 'o': {
            const object = place({})
            for (const pair of list(v)) {
              const [key, x] = list(pair)
              // defineProperty: a key named __proto__ must stay a key.
              Object.defineProperty(object, text(key), {
                value: inert(text(key), inner(x)), enumerable: true, writable: true, configurable: true,
              })
            }
            return object
          }
          default: throw new TypeError('a value that the codec did not make')
        }
      }
      return visit(json, 0)
    },

    local: (id) => handedOut.get(id),
    clear() {
      handedOut.clear()
      received.clear()
    },
  }
}

/** A data object with a callable `then` would be awaited by accident: what it holds is kept, not called. */
function inert(key: string, value: unknown): unknown {
  return typeof value === 'function' && (key === 'then' || key === 'toJSON' || key === 'asymmetricMatch')
    ? String(value.name || 'function')
    : value
}

export function describeError(error: Error): ErrorFacts {
  const code: unknown = 'code' in error ? error.code : 'type' in error ? error.type : undefined
  return {
    name: read(() => error.name).slice(0, 200),
    message: read(() => error.message).slice(0, 2000),
    stack: read(() => error.stack ?? '').slice(0, 8000),
    classes: classesOf(error),
    code: typeof code === 'string' || typeof code === 'number' ? String(code).slice(0, 200) : null,
  }
}

function classesOf(error: Error): string[] {
  const names: string[] = []
  for (let p: unknown = Object.getPrototypeOf(error); isObject(p) && names.length < 8; p = Object.getPrototypeOf(p)) {
    if (p === Object.prototype) break
    names.push(className(p))
  }
  return names
}

function checkFacts(json: Json | undefined): ErrorFacts {
  if (!isObject(json) || Array.isArray(json)) throw new TypeError('an error without its facts')
  const { name, message, stack, classes, code } = json
  return {
    name: text(name), message: text(message), stack: text(stack),
    classes: list(classes).map(text), code: code === null ? null : text(code),
  }
}

const read = (get: () => unknown): string => {
  try {
    return String(get())
  } catch {
    return ''
  }
}

function className(object: object): string {
  return read(() => object.constructor?.name ?? 'Object').slice(0, 100)
}

const numberName = (n: number): string => (Object.is(n, -0) ? '-0' : String(n))

/** What an instance shows of itself: its own fields, and the accessors of its classes. */
function fieldsOf(instance: object): [string, unknown][] {
  const names = new Set(Object.keys(instance))
  for (let p: unknown = Object.getPrototypeOf(instance); isObject(p) && p !== Object.prototype; p = Object.getPrototypeOf(p)) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(p))) if (get) names.add(name)
  }
  return [...names].map((name) => [name, (instance as Record<string, unknown>)[name]])
}

function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === null || prototype === Object.prototype
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function text(json: Json | undefined): string {
  if (typeof json !== 'string') throw new TypeError('a value that the codec did not make')
  return json
}

function list(json: Json | undefined): Json[] {
  if (!Array.isArray(json)) throw new TypeError('a value that the codec did not make')
  return json
}

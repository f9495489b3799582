/**
 * Functions that are put into the learner's process, because what they make would lose its class on the way there.
 * They may use nothing from outside themselves.
 */
type Call = (...args: unknown[]) => Promise<unknown>

/** Calls with one of the two arguments of a pair that must not be confused; without arguments it gives the pairs' names. */
export function argumentsOutsideTheList(call?: Call, pair?: number, which?: number): unknown {
  class Point {
    x: number
    constructor(x: number) { this.x = x }
  }
  class Secret {
    readonly #x: number
    constructor(x: number) { this.#x = x }
    get x(): number { return this.#x }
  }
  class Labelled extends Map<string, number> {
    label: string
    constructor(label: string) {
      super()
      this.label = label
    }
  }
  const circle = (name: string): object => {
    const object: Record<string, unknown> = { name }
    object.self = object
    return object
  }
  const pairs: [string, () => unknown, () => unknown][] = [
    ['two functions', () => () => 1, () => () => 2],
    ['a function and null', () => () => 1, () => null],
    ['objects with two functions', () => ({ f: () => 1 }), () => ({ f: () => 2 })],
    ['an object with a function and one without', () => ({ a: 1, f: () => 1 }), () => ({ a: 1 })],
    ['two symbols', () => Symbol('a'), () => Symbol('b')],
    ['Infinity and null', () => Infinity, () => null],
    ['Infinity and -Infinity', () => Infinity, () => -Infinity],
    ['two errors', () => new Error('a'), () => new Error('b')],
    ['two regular expressions', () => /a/, () => /b/],
    ['a regular expression and {}', () => /a/, () => ({})],
    ['two instances', () => new Point(1), () => new Point(2)],
    ['an instance and a plain object', () => new Point(1), () => ({ x: 1 })],
    ['two instances with private fields', () => new Secret(1), () => new Secret(2)],
    ['two URLs', () => new URL('http://a.example'), () => new URL('http://b.example')],
    ['a URL and its text', () => new URL('http://a.example/'), () => 'http://a.example/'],
    ['two buffers', () => Buffer.from([1]), () => Buffer.from([2])],
    ['a buffer and what JSON makes of it', () => Buffer.from([1]), () => ({ type: 'Buffer', data: [1] })],
    ['two ArrayBuffers', () => Uint8Array.of(1).buffer, () => Uint8Array.of(2).buffer],
    ['bytes and an object with their positions', () => Uint8Array.of(1), () => ({ 0: 1 })],
    ['an invalid Date and null', () => new Date(NaN), () => null],
    ['two circles', () => circle('a'), () => circle('b')],
    ['Maps of two functions', () => new Map([['f', () => 1]]), () => new Map([['f', () => 2]])],
    ['instances of a subclass of Map', () => new Labelled('a'), () => new Labelled('b')],
    ['an instance of a subclass of Map and a Map', () => new Labelled('a'), () => new Map()],
    ['two WeakMaps and their like', () => new WeakMap(), () => new WeakSet()],
  ]
  if (!call) return pairs.map(([name]) => name)
  const [, first, second] = pairs[pair!]!
  return call(which === 0 ? first() : second())
}

/** Asks twice for each result and gives the names of those that came back as something else. */
export async function resultsOutsideTheList(cache: (fn: (i: number) => Promise<unknown>) => (i: number) => Promise<unknown>): Promise<string[]> {
  class Money {
    readonly cents: number
    constructor(cents: number) { this.cents = cents }
    get euros(): number { return this.cents / 100 }
  }
  const results: [string, unknown, (got: never) => boolean][] = [
    ['an instance', new Money(250), (got: Money) => got instanceof Money && got.euros === 2.5],
    ['an object that holds an instance', { price: new Money(250) }, (got: { price: Money }) => got.price instanceof Money && got.price.euros === 2.5],
    ['a regular expression', /a+/g, (got: RegExp) => got instanceof RegExp && got.source === 'a+'],
    ['an error', new RangeError('late'), (got: Error) => got instanceof RangeError && got.message === 'late'],
    ['an invalid Date', new Date(NaN), (got: Date) => got instanceof Date && Number.isNaN(got.getTime())],
    ['an object with a key __proto__', JSON.parse('{"__proto__":{"a":1}}'), (got: object) => Object.hasOwn(got, '__proto__') && !('a' in got)],
    ['a symbol', Symbol.for('late'), (got: symbol) => got === Symbol.for('late')],
  ]
  const call = cache(async (i) => results[i]![1])
  const wrong: string[] = []
  for (const [i, [name, , isRight]] of results.entries()) {
    for (const got of [await call(i), await call(i)]) if (!isRight(got as never) && !wrong.includes(name)) wrong.push(name)
  }
  return wrong
}

/** Wraps a function to which Redis replies with an error; tells how often it was called, and whether the caller got its error. */
export async function failsInRedis(cache: (fn: () => Promise<unknown>) => () => Promise<unknown>, redis: { call(command: string): Promise<unknown> }): Promise<unknown> {
  let calls = 0
  let own: unknown
  const call = cache(async () => {
    calls++
    try {
      return await redis.call('NO-SUCH-COMMAND')
    } catch (error) {
      own = error
      throw error
    }
  })
  try {
    await call()
    return { calls, own: false }
  } catch (error) {
    return { calls, own: error === own }
  }
}

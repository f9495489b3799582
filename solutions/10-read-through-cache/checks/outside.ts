/**
 * Functions that are put into the learner's process, because what they make would lose its class on the way there.
 * They may use nothing from outside themselves.
 */
type Call = (...args: unknown[]) => Promise<unknown>

/** Calls with one of the two arguments of a pair that must not be confused; without arguments it gives the pairs' names, in both languages. */
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
  const pairs: [en: string, vi: string, first: () => unknown, second: () => unknown][] = [
    ['two functions', 'hai hàm', () => () => 1, () => () => 2],
    ['a function and null', 'một hàm và null', () => () => 1, () => null],
    ['objects with two functions', 'hai object chứa hai hàm khác nhau', () => ({ f: () => 1 }), () => ({ f: () => 2 })],
    ['an object with a function and one without', 'object có hàm và object không có', () => ({ a: 1, f: () => 1 }), () => ({ a: 1 })],
    ['two symbols', 'hai symbol', () => Symbol('a'), () => Symbol('b')],
    ['Infinity and null', 'Infinity và null', () => Infinity, () => null],
    ['Infinity and -Infinity', 'Infinity và -Infinity', () => Infinity, () => -Infinity],
    ['two errors', 'hai đối tượng Error', () => new Error('a'), () => new Error('b')],
    ['two regular expressions', 'hai biểu thức chính quy', () => /a/, () => /b/],
    ['a regular expression and {}', 'biểu thức chính quy và {}', () => /a/, () => ({})],
    ['two instances', 'hai instance', () => new Point(1), () => new Point(2)],
    ['an instance and a plain object', 'instance và object thường', () => new Point(1), () => ({ x: 1 })],
    ['two instances with private fields', 'hai instance có trường private', () => new Secret(1), () => new Secret(2)],
    ['two URLs', 'hai URL', () => new URL('http://a.example'), () => new URL('http://b.example')],
    ['a URL and its text', 'URL và chuỗi của nó', () => new URL('http://a.example/'), () => 'http://a.example/'],
    ['two buffers', 'hai Buffer', () => Buffer.from([1]), () => Buffer.from([2])],
    ['a buffer and what JSON makes of it', 'Buffer và dạng JSON của nó', () => Buffer.from([1]), () => ({ type: 'Buffer', data: [1] })],
    ['two ArrayBuffers', 'hai ArrayBuffer', () => Uint8Array.of(1).buffer, () => Uint8Array.of(2).buffer],
    ['bytes and an object with their positions', 'mảng byte và object có key là các vị trí', () => Uint8Array.of(1), () => ({ 0: 1 })],
    ['an invalid Date and null', 'Date không hợp lệ và null', () => new Date(NaN), () => null],
    ['two circular objects', 'hai object vòng', () => circle('a'), () => circle('b')],
    ['Maps of two functions', 'hai Map chứa hai hàm khác nhau', () => new Map([['f', () => 1]]), () => new Map([['f', () => 2]])],
    ['instances of a subclass of Map', 'hai instance của một lớp con của Map', () => new Labelled('a'), () => new Labelled('b')],
    ['an instance of a subclass of Map and a Map', 'instance của lớp con của Map và Map', () => new Labelled('a'), () => new Map()],
    ['a WeakMap and a WeakSet', 'WeakMap và WeakSet', () => new WeakMap(), () => new WeakSet()],
  ]
  if (!call) return pairs.map(([en, vi]) => [en, vi])
  const [, , first, second] = pairs[pair!]!
  return call(which === 0 ? first() : second())
}

/** Asks twice for each result and gives the names of those that came back as something else. */
export async function resultsOutsideTheList(cache: (fn: (i: number) => Promise<unknown>) => (i: number) => Promise<unknown>): Promise<[en: string, vi: string][]> {
  class Money {
    readonly cents: number
    constructor(cents: number) { this.cents = cents }
    get euros(): number { return this.cents / 100 }
  }
  const results: [en: string, vi: string, result: unknown, isRight: (got: never) => boolean][] = [
    ['an instance', 'một instance', new Money(250), (got: Money) => got instanceof Money && got.euros === 2.5],
    ['an object that holds an instance', 'object chứa một instance', { price: new Money(250) }, (got: { price: Money }) => got.price instanceof Money && got.price.euros === 2.5],
    ['a regular expression', 'biểu thức chính quy', /a+/g, (got: RegExp) => got instanceof RegExp && got.source === 'a+'],
    ['an error', 'đối tượng Error', new RangeError('late'), (got: Error) => got instanceof RangeError && got.message === 'late'],
    ['an invalid Date', 'Date không hợp lệ', new Date(NaN), (got: Date) => got instanceof Date && Number.isNaN(got.getTime())],
    ['an object with a key __proto__', 'object có key __proto__', JSON.parse('{"__proto__":{"a":1}}'), (got: object) => Object.hasOwn(got, '__proto__') && !('a' in got)],
    ['a symbol', 'symbol', Symbol.for('late'), (got: symbol) => got === Symbol.for('late')],
  ]
  const call = cache(async (i) => results[i]![2])
  const wrong: [en: string, vi: string][] = []
  for (const [i, [en, vi, , isRight]] of results.entries()) {
    const both = [await call(i), await call(i)]
    if (!both.every((got) => isRight(got as never))) wrong.push([en, vi])
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

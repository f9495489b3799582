import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCodec, type Codec, type Json } from './codec.ts'

const none = { idOf: () => undefined, byId: () => undefined }

/** Two sides that know nothing of each other but what crosses. */
function pair(): { grader: Codec; host: Codec } {
  const side = (name: 'g' | 'h'): Codec => createCodec({
    side: name, clients: none,
    remoteFunction: (id) => Object.assign(() => id, { id }),
    remoteInstance: (id, className) => ({ id, className }),
    remoteError: (_id, facts) => Object.assign(new Error(facts.message), { facts }),
  })
  return { grader: side('g'), host: side('h') }
}

/** What really crosses is text. */
const cross = (from: Codec, to: Codec, value: unknown): unknown => to.decode(JSON.parse(JSON.stringify(from.encode(value))) as Json)

const data = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.string(), fc.double(), fc.boolean(), fc.bigInt(), fc.constantFrom(null, undefined, -0, NaN, Infinity),
    fc.date(), fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('any'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(tie('any'), tie('any')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie('any'), { maxLength: 3 }).map((items) => new Set(items))),
})).any

test('data arrives equal', () => {
  fc.assert(fc.property(data, (value) => {
    const { grader, host } = pair()
    expect(cross(host, grader, value)).toStrictEqual(value)
  }))
})

test('circles and shared parts keep their shape', () => {
  const { grader, host } = pair()
  const shared = { n: 1 }
  const circle: Record<string, unknown> = { shared, again: shared }
  circle.self = circle
  const arrived = cross(host, grader, circle) as Record<string, unknown>
  expect(arrived.self).toBe(arrived)
  expect(arrived.again).toBe(arrived.shared)
})

test('whatever arrives is readable or a TypeError or RangeError', () => {
  fc.assert(fc.property(fc.jsonValue(), (json) => {
    try {
      pair().grader.decode(json as Json)
    } catch (error) {
      expect(error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError).toBe(true)
    }
  }))
})

describe('what has identity comes home as itself', () => {
  test.each([['an error', new TypeError('mine')], ['a function', () => 1], ['an instance', new (class Thing {})()]])('%s', (_name, value) => {
    const { grader, host } = pair()
    const abroad = cross(grader, host, value)
    expect(cross(host, grader, abroad)).toBe(value)
  })
})

test('an error travels as strings, with its classes', () => {
  class LockTimeoutError extends RangeError {}
  const { grader, host } = pair()
  const arrived = cross(host, grader, Object.assign(new LockTimeoutError('late'), { code: 'E_LATE', actual: { live: true } })) as { facts: object; actual?: unknown }
  expect(arrived.facts).toMatchObject({ name: 'RangeError', message: 'late', classes: ['LockTimeoutError', 'RangeError', 'Error'], code: 'E_LATE' })
  expect(arrived.actual).toBeUndefined()
})

test('values that would act when touched arrive inert', () => {
  const { grader, host } = pair()
  const arrived = cross(host, grader, JSON.parse('{"__proto__": {"polluted": true}, "a": 1}')) as Record<string, unknown>
  expect(Object.getPrototypeOf(arrived)).toBe(Object.prototype)
  expect(Object.hasOwn(arrived, '__proto__')).toBe(true)
  const matcher = cross(host, grader, { asymmetricMatch: () => true, then: () => {}, toJSON: () => 1 }) as Record<string, unknown>
  expect(Object.values(matcher).map((value) => typeof value)).toEqual(['string', 'string', 'string'])
})

test('too deep, too many, too long', () => {
  const { host } = pair()
  let deep: unknown = 1
  for (let i = 0; i < 1000; i++) deep = [deep]
  expect(() => host.encode(deep)).toThrow(RangeError)
  expect(() => host.encode(Array.from({ length: 300_000 }, () => 1))).toThrow(RangeError)
  expect(() => host.encode('x'.repeat(5_000_000))).toThrow(RangeError)
})

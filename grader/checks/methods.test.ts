import { expect, test } from 'vitest'
import { methods, plain } from './methods.ts'
import { both, CheckFailed } from './verdicts.ts'

const factory = both('createThing', 'createThing')

test('the methods of a literal and of an instance are called alike', async () => {
  const literal = { start: async (n: unknown) => ['literal', n] }
  const instance = { className: 'Thing', call: async (name: string, ...args: unknown[]) => [name, ...args], get: async () => undefined }
  expect(await methods(literal, ['start'], factory).start(1)).toEqual(['literal', 1])
  expect(await methods(instance, ['start'], factory).start(1)).toEqual(['start', 1])
})

test('an object that lacks a method is the learner\'s mistake', () => {
  for (const made of [undefined, null, 42, {}, { start: true }, { stop: async () => {} }]) {
    expect(() => methods(made, ['start', 'stop'], factory)).toThrow(CheckFailed)
  }
  expect(() => methods(undefined, ['start', 'stop'], factory)).toThrow(
    'createThing must give an object with the methods start, stop; it gave undefined.')
})

test('the fields of instances are read where they live, accessors by their names; everything else stays what it is', async () => {
  class Place {
    readonly name = 'ann'
    readonly #score = '7'
    get score(): number { return Number(this.#score) }
  }
  const host = { plant: async (f: (entries: unknown[], names: unknown) => unknown) =>
    async (entries: unknown[], names: unknown) => f(entries.map((entry) => (entry === instance ? new Place() : entry)), names) }
  const instance = { className: 'Place', host, call: async () => undefined, get: async () => undefined }
  expect(await plain(instance)).toEqual({ name: 'ann' })
  expect(await plain(instance, ['score', 'rank'])).toEqual({ name: 'ann', score: 7 })
  expect(await plain([instance, { name: 'bob' }, null], ['score'])).toEqual([{ name: 'ann', score: 7 }, { name: 'bob' }, null])
  for (const given of [null, 42, [], [1], { name: 'bob' }]) expect(await plain(given, ['score'])).toBe(given)
})

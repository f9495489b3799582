import { expect, test } from 'vitest'
import { methods } from './methods.ts'
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

import { isDeepStrictEqual } from 'node:util'
import { both, holds, shown } from '#checks'
import { loader, type Cached, type Loader } from './cached.ts'

/** Every call of the function has an answer of its own, so that each answer tells which call it came from. */
export const numbered = (): Loader<string> => loader((_args, call) => `answer ${call}`)

/** Calls with `args`; the answer must come from a call with equal arguments. */
export async function ownAnswer(cached: Cached, { calls }: Loader<string>, args: unknown[]): Promise<string> {
  const answer = String(await cached.call(...args))
  const asked = calls[Number(answer.slice('answer '.length)) - 1]
  const list = args.map(shown).join(', ')
  holds(asked !== undefined && isDeepStrictEqual(asked, args),
    both(`the answer for the arguments (${list})`, `kết quả cho tham số (${list})`),
    both('one computed for them', 'kết quả được tính cho chính chúng'),
    asked === undefined ? shown(answer) : both(`that of the arguments (${asked.map(shown).join(', ')})`, `kết quả của tham số (${asked.map(shown).join(', ')})`))
  return answer
}

/** Argument lists of which no two are equal: strings, numbers, booleans, null, arrays and plain objects. */
export const PLAIN_ARGUMENTS: readonly unknown[][] = [
  [], [''], ['1'], [1], [-1], [0], [false], ['false'], [true], ['true'], [null], ['null'], ['undefined'],
  ['a'], ['A'], ['a '], ['a,b'], ['a', 'b'], ['b', 'a'], ['a:b'], ['a', ',b'], ['a|b'], ['["a","b"]'], ['"a"'], ['a\u0000b'], ['\u0161'], ['é'], ['e\u0301'], ['\ud800'], ['\ud801'],
  [1, 2], [12], [2, 1], ['1', 2], [1, '2'], [1.5], [1e21], ['1e+21'], [0.1 + 0.2], [0.3],
  [[]], [[[]]], [{}], ['{}'], ['[]'], [[1, 2]], [[1], 2], [[2, 1]], [['1', '2']], ['1,2'], [[1, [2]]], [[null]], [['']],
  [{ a: 1 }], [{ a: '1' }], [{ a: 1 }, 1], [{ a: { b: 1 } }], [{ a: [1] }], ['{"a":1}'], [{ a: 1, b: 2 }], [{ a: 2, b: 1 }], [{ a: null }],
  [[['a', 1]]], [['a', 1]], ['[object Object]'], [{ 'a,b': 1 }], [{ length: 0 }], [{ 0: 'a' }], [['a']],
]

const at = (ms: number): Date => new Date(ms)
const DAY = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

/** The same with undefined, NaN, BigInt, Date, Map and Set: made anew for every use. */
export const richArguments = (): unknown[][] => [
  [undefined], [null], [NaN], ['NaN'], ['undefined'], [0], ['null'], [{}], [[]],
  [1n], [1], ['1'], ['1n'], [2n], [12345678901234567890n], [12345678901234567891n], [[1n]], [[1]],
  [at(DAY)], [at(DAY + 1)], [at(DAY).toISOString()], [DAY], [JSON.stringify(at(DAY))], [String(at(DAY))], [[at(DAY)]], [{ at: at(DAY) }], [{ at: at(DAY).toISOString() }], [{ at: DAY }],
  [new Map()], [new Set()], [new Map([['a', 1]])], [new Map([['a', 2]])], [new Map([['a', '1']])], [new Map<unknown, number>([[1, 1]])], [new Map([['1', 1]])],
  [{ a: 1 }], [[['a', 1]]], [new Set([['a', 1]])], [new Set([1])], [new Set(['1'])], [[1]], [['1']], [new Set([1, 2])], [new Set([new Set([1])])],
  [{ a: undefined }], [{ a: null }], [{ a: NaN }], [{ a: 'NaN' }], [[undefined]], [[null]], [[NaN]],
  [new Map<string, unknown>([['a', undefined]])], [new Map<string, unknown>([['a', null]])], [new Map([['a', new Map([['b', at(DAY)]])]])], [new Map([['a', new Map([['b', at(DAY + 1)]])]])],
  [new Set([undefined])], [new Set([null])], [new Set([{ a: 1 }])], [new Set([{ a: 2 }])],
]

/** Values as other encodings would write a Date, a Map and undefined: plain, all the same. */
export const LOOK_ALIKES: readonly unknown[] = [
  ...['Date', 'date', 'd'].flatMap((word) => [at(DAY).toISOString(), DAY].flatMap((content) => tagged(word, content))),
  ...['Map', 'map', 'm'].flatMap((word) => tagged(word, [['a', 1]])),
  ...['undefined', 'u'].flatMap((word) => [word, `__${word}__`, `$${word}`, [word], { [`$${word}`]: true }, { $: word }, { __type: word }, { $type: word }, { type: word }, { t: word }]),
]

/** What they look like. */
export const lookedLike = (): unknown[] => [at(DAY), new Map([['a', 1]]), undefined]

function tagged(word: string, content: unknown): unknown[] {
  return [
    [word, content], { [`$${word}`]: content }, { [`__${word}`]: content }, { [`__${word}__`]: content },
    ...['type', '$type', '__type', '__type__', '__t', 't', '$'].flatMap((name) => ['value', 'v'].map((field) => ({ [name]: word, [field]: content }))),
    ...(typeof content === 'object' ? [] : [`${word}:${content}`, `__${word}__${content}`]),
  ]
}

/**
 * Every kind of argument and result keeps its type; what has no place in an encoding is never mistaken for something else.
 */
import { inspect } from 'node:util'
import type { Redis } from 'ioredis'
import { both, check, holds, same, settled, shown, type Learner } from '#checks'
import { loader, settle, wrap } from './cached.ts'
import { argumentsOutsideTheList, resultsOutsideTheList } from './outside.ts'
import { LOOK_ALIKES, lookedLike, numbered, ownAnswer, richArguments } from './values.ts'

check('types-of-arguments-matter', async ({ learner, did }) => {
  did(both('called with undefined, NaN, BigInts, Dates, Maps and Sets, also inside objects and lists, and with what they are often mistaken for',
    'gọi với undefined, NaN, BigInt, Date, Map và Set, cả khi nằm trong object và mảng, và với những giá trị hay bị nhầm với chúng'))
  const load = numbered()
  const cached = await wrap(learner, { name: 'thing' }, load.fn)
  for (const args of richArguments()) await ownAnswer(cached, load, args)
})

check('equal-arguments-of-every-kind-share', async ({ learner, did }) => {
  did(both('called twice with undefined, NaN, BigInts, Dates, Maps and Sets', 'gọi hai lần với undefined, NaN, BigInt, Date, Map và Set'))
  const cached = await wrap(learner, { name: 'thing' }, numbered().fn)
  const first = new Map<string, unknown>()
  for (const args of richArguments()) first.set(inspect(args, { depth: 9 }), await cached.call(...args))
  for (const args of richArguments()) {
    same(await cached.call(...args), first.get(inspect(args, { depth: 9 })), both(`the answer for ${args.map(shown).join(', ')}, asked for again`, `kết quả cho ${args.map(shown).join(', ')} khi hỏi lại`))
  }
  const ordered = await cached.call(new Map([['price', { from: 1, to: 2 }]]), new Set([{ a: 1, b: 2 }]))
  same(await cached.call(new Map([['price', { to: 2, from: 1 }]]), new Set([{ b: 2, a: 1 }])), ordered,
    both('the answer for a Map and a Set of objects with their keys in another order', 'kết quả cho Map và Set chứa object với thứ tự key khác'))
  const item = { a: 1 }
  const twice = await cached.call([item, item])
  same(await cached.call([item, item]), twice, both('the answer for a list that holds an object twice, asked for again', 'kết quả cho mảng chứa cùng một object hai lần, khi hỏi lại'))
})

check('rich-results-come-back', async ({ learner, did }) => {
  did(both('asked twice for results that hold a Date, a Map or undefined', 'hỏi hai lần các kết quả chứa Date, Map hoặc undefined'))
  const at = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678))
  const results: unknown[] = [
    at, { at, by: 'Ann' }, [at, at.toISOString(), at.getTime()], new Map([['a', 1]]), new Map<unknown, unknown>([[1, 'number'], ['1', at], [{ a: 1 }, new Map([['x', []]])]]),
    { orders: new Map([['ann', { at }]]) }, { a: undefined, b: null }, [undefined, null, 1], { a: { b: [undefined] } }, new Map<string, unknown>([['a', undefined]]), new Map(),
  ]
  await comeBack(learner, results)
})

check('plain-data-stays-plain', async ({ learner, redis, did }) => {
  did(both('cached a Date, a Map and undefined, then used plain values that look like what was stored for them, here or in other encodings, as results and as arguments',
    'lưu một Date, một Map và undefined vào cache, rồi dùng các giá trị đơn giản trông giống dạng lưu của chúng, trong cách mã hóa này hay cách khác, làm kết quả và làm tham số'))
  const alike = [...(await storedFor(learner, redis, lookedLike())), ...LOOK_ALIKES]
  await comeBack(learner, [{ list: alike }, ...alike.slice(0, 20)])
  const load = numbered()
  const cached = await wrap(learner, { name: 'looks' }, load.fn)
  for (const value of lookedLike()) await ownAnswer(cached, load, [value])
  await ownAnswer(cached, load, lookedLike())
  // Twenty with one call over the pipe: each gives the number of the call that its answer came from.
  const each = await learner.host.plant(async (call: (value: unknown) => Promise<unknown>, values: unknown[]) => {
    const answers: unknown[] = []
    for (const value of values) answers.push(await call(value))
    return answers
  })
  const answers: unknown[] = []
  for (let i = 0; i < alike.length; i += 20) answers.push(...(await each(cached.remote, alike.slice(i, i + 20))) as unknown[])
  for (const [i, value] of alike.entries()) {
    const asked = load.calls[Number(String(answers[i]).slice('answer '.length)) - 1] ?? []
    same(asked, [value], both('the arguments an answer was computed for', 'tham số mà kết quả được tính cho'))
  }
})

check('other-arguments-never-hit-wrongly', async ({ learner, did }) => {
  did(both('called with functions, symbols, instances, circular objects and the like, in pairs that must not be confused',
    'gọi với hàm, symbol, instance, cấu trúc vòng và tương tự, theo từng cặp không được lẫn nhau'))
  const load = numbered()
  const cached = await wrap(learner, { name: 'thing' }, load.fn)
  const again = await cached.call('plain')
  same(await cached.call('plain'), again, both('the answer for a plain argument, asked for again', 'kết quả cho tham số đơn giản khi hỏi lại'))
  const call = await learner.host.plant(argumentsOutsideTheList)
  const names = (await call()) as [en: string, vi: string][]
  for (const [i, [en, vi]] of names.entries()) {
    const answers: unknown[][] = [[], []]
    const ask = async (which: 0 | 1): Promise<void> => {
      const outcome = await settled(call(cached.remote, i, which))
      if ('value' in outcome) answers[which]!.push(outcome.value)
      else holds(!outcome.error.synchronous, both(`a call with ${en}`, `lời gọi với ${vi}`), both('a result, or a promise that rejects', 'có kết quả, hoặc promise bị từ chối (reject)'), both('thrown before any promise was returned', 'lỗi bị ném ra trước khi trả về promise'))
    }
    // One after the other, and at once.
    await ask(0)
    await Promise.all([ask(1), ask(0)])
    holds(!answers[1]!.some((answer) => answers[0]!.includes(answer)), both(`the answers for ${en}`, `các kết quả cho ${vi}`), both('one for each', 'mỗi bên một kết quả'), both('the same', 'giống nhau'))
  }
})

check('what-cannot-be-stored-comes-back', async ({ learner, did }) => {
  did(both('asked twice for results that are circular, or hold an object twice, functions, BigInts, NaN, Sets, bytes, half a character or instances',
    'hỏi hai lần các kết quả có cấu trúc vòng, hoặc chứa một object hai lần, hàm, BigInt, NaN, Set, byte, nửa ký tự hay instance'))
  const circle: Record<string, unknown> = { name: 'Ann' }
  circle.self = circle
  await comeBack(learner, [circle, { list: [1, circle] }, () => 1, { id: 7, f: () => 1 }, 12n, { n: 12n }, NaN, [Infinity, NaN], new Set([1]), { tags: new Set(['a']) }, Buffer.from([1, 255]), 'half: \ud83d'])
  // What holds an object in two places is no circle.
  const ann = { name: 'Ann' }
  const twice = loader(() => [ann, ann])
  const cached = await wrap(learner, { name: 'twice' }, twice.fn)
  same([await cached.call(), await cached.call()], [[ann, ann], [ann, ann]], both('a list that holds an object twice, asked for twice', 'mảng chứa cùng một object hai lần, hỏi hai lần'))
  same(twice.calls.length, 1, both('calls of the function for it', 'số lần hàm được gọi cho kết quả đó'))
  // Instances lose their class on the way to the grader, so they are looked at where they are.
  const differences = (await (await learner.host.plant(resultsOutsideTheList))(await learner.call('cacheWithRedis', learner.redis, { name: 'instance' }))) as [en: string, vi: string][]
  holds(differences.length === 0, both('results that came back as something else', 'kết quả trả về bị biến thành thứ khác'), both('none', 'không có'),
    both(differences.map(([en]) => en).join(', '), differences.map(([, vi]) => vi).join(', ')))
})

/** Asks twice for each result: it is cached, or computed again, but never another one. What is plain must be cached. */
async function comeBack(learner: Learner, results: readonly unknown[]): Promise<void> {
  const load = loader(([i]) => (i === 'plain' ? 'plain' : results[i as number]))
  const cached = await wrap(learner, { name: 'result' }, load.fn)
  for (const [i, result] of results.entries()) {
    for (let call = 1; call <= 2; call++) {
      const before = load.calls.length
      same(await cached.call(i), result, call === 1 ? both('a result', 'một kết quả') : both('a result, asked for again', 'một kết quả khi hỏi lại'))
      holds(load.calls.length - before <= 1, both('calls of the function for one call', 'số lần hàm được gọi cho một lời gọi'), both('at most 1', 'không quá 1'), String(load.calls.length - before))
    }
  }
  const before = load.calls.length
  same([await cached.call('plain'), await cached.call('plain')], ['plain', 'plain'], both('a plain result, asked for twice', 'kết quả đơn giản, hỏi hai lần'))
  same(load.calls.length - before, 1, both('calls of the function for it', 'số lần hàm được gọi cho kết quả đó'))
}

/** What the learner's encoding, where it is JSON, makes of values: every part of the entries, as plain data. */
async function storedFor(learner: Learner, redis: Redis, values: unknown[]): Promise<unknown[]> {
  const results = [values, ...values, { values }]
  const cached = await wrap(learner, { name: 'stored' }, loader(([i]) => results[i as number]).fn)
  for (const i of results.keys()) await cached.call(i)
  await settle(learner)
  const parts: unknown[] = []
  for (const key of await redis.keys('*')) {
    if ((await redis.type(key)) !== 'string') continue
    const text = (await redis.get(key))!
    parts.push(text)
    try {
      collect(JSON.parse(text), parts)
    } catch {
      // Another encoding than JSON.
    }
  }
  return parts
}

function collect(value: unknown, parts: unknown[]): void {
  if (value === null || typeof value === 'number' || parts.length > 100) return
  parts.push(value)
  if (typeof value === 'object') for (const part of Object.values(value)) collect(part, parts)
}

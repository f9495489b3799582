import type { Text } from '#catalog/text.ts'
import type { Instance } from '#sandbox/host.ts'
import { both, CheckFailed, shown } from './verdicts.ts'

/** The methods of an object that learner code made, each ready to be called. */
export type Methods<Name extends string> = Readonly<Record<Name, (...args: unknown[]) => Promise<unknown>>>

/** The methods `names` of what a factory returned: an object literal or an instance of a class, as the learner likes. */
export function methods<const Name extends string>(made: unknown, names: readonly Name[], what: Text): Methods<Name> {
  const instance = isInstance(made)
  const own = (typeof made === 'object' && made !== null ? made : {}) as Partial<Methods<Name>>
  const missing = instance ? [] : names.filter((name) => typeof own[name] !== 'function')
  if (missing.length > 0) {
    const wanted = `{ ${names.join(', ')} }`
    throw new CheckFailed(both(
      `${what.en} must give an object with the methods ${names.join(', ')}; it gave ${shown(made)}.`,
      `${what.vi} phải trả về object có các phương thức ${names.join(', ')}; kết quả nhận được là ${shown(made)}.`),
    { expected: wanted, got: shown(made) })
  }
  const call = (name: Name) => (...args: unknown[]) => (instance ? made.call(name, ...args) : own[name]!(...args))
  return Object.fromEntries(names.map((name) => [name, call(name)])) as Methods<Name>
}

/**
 * What learner code gave, with every instance of a class as a plain object of its fields: `given` itself, or the entries of a
 * list. `names` are fields that the class may have as accessors.
 */
export async function plain(given: unknown, names: readonly string[] = []): Promise<unknown> {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  const instances = list.filter(isInstance)
  if (instances.length === 0) return given
  // All in one question: a list may be long.
  const read = await instances[0]!.host.plant((these: readonly Record<string, unknown>[], names: readonly string[]) =>
    these.map((one) => ({ ...one, ...Object.fromEntries(names.filter((name) => name in one).map((name) => [name, one[name]])) })))
  const fields = (await read(instances, names)) as unknown[]
  const entries = list.map((entry) => (isInstance(entry) ? fields.shift() : entry))
  return Array.isArray(given) ? entries : entries[0]
}

function isInstance(made: unknown): made is Instance {
  return typeof made === 'object' && made !== null && 'className' in made && 'call' in made
}

import { expect, test } from 'vitest'
import { createCodec, type Codec, type Owner } from './codec.ts'

test('a method is called on the object that holds it, one function of several objects included', () => {
  const { host, grader, calls } = pair()
  function name(this: { id: number }): number { return this.id }
  const json = host.encode([{ id: 1, name }, { id: 2, name }])
  const received = grader.decode(json) as { id: number; name: () => void }[]
  for (const object of received) object.name()
  expect(calls.map((owner) => owner && (host.local(owner.id) as { id: number }).id)).toEqual([1, 2])
})

test('a function that comes home is the one that left', () => {
  const { host, grader } = pair()
  const f = (): void => {}
  const { g } = grader.decode(host.encode({ g: f })) as { g: unknown }
  expect(host.decode(grader.encode(g))).toBe(f)
})

/** Two codecs, one for each end of the pipe, and the owners of the functions that the grader called. */
function pair(): { host: Codec; grader: Codec; calls: (Owner | null)[] } {
  const calls: (Owner | null)[] = []
  const none = { idOf: () => undefined, byId: () => undefined }
  const inert = (id: string): { id: string } => ({ id })
  const shared = { clients: none, remoteInstance: inert, remoteError: inert }
  const host = createCodec({ ...shared, side: 'h', remoteFunction: inert })
  const grader = createCodec({ ...shared, side: 'g', remoteFunction: (_id, _name, owner) => () => { calls.push(owner) } })
  return { host, grader, calls }
}

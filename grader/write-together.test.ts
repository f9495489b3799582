import { Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { writeTogether } from './write-together.ts'

/** Every write that reaches it, with what it brings. */
function collector(): { stream: Writable; writes: string[] } {
  const writes: string[] = []
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => (writes.push(chunk.toString()), done()),
    writev: (chunks, done) => (writes.push(chunks.map(({ chunk }) => String(chunk)).join('')), done()),
  })
  return { stream, writes }
}

test('what promises that settle in one turn of the event loop write goes together', async () => {
  const { stream, writes } = collector()
  writeTogether(stream, Buffer.from('a'))
  void Promise.resolve().then(() => writeTogether(stream, Buffer.from('b')))
  expect(writes).toEqual([])
  await setImmediate()
  writeTogether(stream, Buffer.from('c'))
  await setImmediate()
  expect(writes).toEqual(['ab', 'c'])
})

test('uncork sends at once what must not be lost', async () => {
  const { stream, writes } = collector()
  for (const word of ['a', 'b']) writeTogether(stream, Buffer.from(word))
  stream.uncork()
  expect(writes).toEqual(['ab'])
  stream.destroy()
  await setImmediate()
  expect(writes).toEqual(['ab'])
})

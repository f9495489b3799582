import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { framed, MAX_FRAME } from './frames.ts'

test('messages arrive whole and in order', async () => {
  const [here, there] = duplexPair()
  const seen: unknown[] = []
  const done = new Promise<void>((resolve) => {
    framed(there, { message: (message) => { if (seen.push(message) === 3) resolve() }, garbage: () => {} })
  })
  const send = framed(here, { message: () => {}, garbage: () => {} })
  for (const message of [{ n: 1 }, 'x'.repeat(200_000), ['ă']]) send(message)
  await done
  expect(seen).toEqual([{ n: 1 }, 'x'.repeat(200_000), ['ă']])
})

test.each([
  ['a size beyond the limit', Buffer.from([255, 255, 255, 127, 1]), `a frame of ${0x7fffffff} bytes`],
  ['a body that is not JSON', Buffer.from([3, 0, 0, 0, 1, 2, 3]), 'a frame that is not JSON'],
])('%s is told once and ends the pipe', async (_name, bytes, reason) => {
  const [here, there] = duplexPair()
  const told = new Promise<string>((resolve) => framed(there, { message: () => {}, garbage: resolve }))
  here.write(bytes)
  expect(await told).toBe(reason)
  expect(there.destroyed).toBe(true)
})

test('a message that is too large is refused before it is sent', () => {
  const [here] = duplexPair()
  const send = framed(here, { message: () => {}, garbage: () => {} })
  expect(() => send('x'.repeat(MAX_FRAME))).toThrow(RangeError)
})

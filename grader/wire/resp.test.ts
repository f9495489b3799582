import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frameReader, parseReply, parseRequest, ProtocolError, showCommand, showReply, type Reply } from './resp.ts'

const request = (words: readonly Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n')])])

const words = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 })

/** Cuts bytes at arbitrary places, as a network does. */
const pieces = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length))
}

test('requests come out as they went in, wherever the stream is cut', () => {
  fc.assert(fc.property(fc.array(words, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(), { maxLength: 12 }), (requests, cuts) => {
    const read = frameReader(parseRequest)
    const frames = pieces(Buffer.concat(requests.map(request)), cuts).flatMap((piece) => read(piece))
    expect(frames.map(({ value }) => value.map((word) => Buffer.from(word).toString('hex')))).toEqual(
      requests.map((one) => one.map((word) => Buffer.from(word).toString('hex'))))
    expect(Buffer.concat(frames.map(({ raw }) => raw))).toEqual(Buffer.concat(requests.map(request)))
  }))
})

const reply: fc.Arbitrary<string> = fc.letrec<{ any: string; list: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('+OK\r\n', '-ERR no\r\n', ':-7\r\n', '$-1\r\n', '*-1\r\n', '_\r\n', '#t\r\n', ',1.5\r\n', '(123456789012345678901\r\n', '*0\r\n', '%1\r\n+k\r\n:1\r\n', '>2\r\n+a\r\n+b\r\n'),
    fc.string({ maxLength: 30 }).map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`),
    tie('list')),
  list: fc.array(tie('any'), { maxLength: 4 }).map((items) => `*${items.length}\r\n${items.join('')}`),
})).any

test('replies of both protocol versions end where they end, wherever the stream is cut', () => {
  fc.assert(fc.property(fc.array(reply, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (replies, cuts) => {
    const bytes = Buffer.from(replies.join(''))
    const read = frameReader(parseReply)
    const frames = pieces(bytes, cuts).flatMap((piece) => read(piece))
    expect(frames.map(({ raw }) => raw.toString())).toEqual(replies)
  }))
})

test('garbage is a ProtocolError or an unfinished frame, never anything else', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    for (const parse of [parseRequest, parseReply]) {
      try {
        frameReader<unknown>(parse)(Buffer.from(bytes))
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    }
  }))
})

test('commands and replies are shown in a short line', () => {
  expect(showCommand(['zadd', 'k', '1', 'two words', 'x'.repeat(50)].map((word) => Buffer.from(word)))).toBe(`ZADD k 1 "two words" ${'x'.repeat(36)}…`)
  const list: Reply = { type: 'list', items: [{ type: 'bulk', text: 'a' }, { type: 'null' }, { type: 'number', text: '3' }] }
  expect(showReply(list)).toBe('["a", nil, 3]')
  const numbers = Array.from({ length: 15 }, (_, i) => String(i + 1))
  expect(showReply({ type: 'list', items: numbers.map((text) => ({ type: 'number', text })) })).toBe('[1, 2, 3, 4, 5, 6, … +9]')
  expect(showCommand(numbers.map((text) => Buffer.from(text)))).toBe('1 2 3 4 5 6 7 8 9 10 11 12 … +3')
})

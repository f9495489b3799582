import { expect, test } from 'vitest'
import type { Command } from '#wire/redis-wire.ts'
import { commandsOf } from './own-traffic.ts'

const command = (line: string, reply: number, fate: Command['fate'] = 'passed'): Command => {
  const words = line.split(' ')
  return {
    connection: 0, words: words.map((word) => Buffer.from(word)), name: words[0]!, handshake: false,
    reply: { type: 'number', text: String(reply) }, fate,
  }
}
const lines = (commands: Command[]): string[] => commandsOf(commands).map(({ text, reply, mark }) => [text, '→', reply, mark].filter(Boolean).join(' '))
const times = (n: number, one: (i: number) => Command): Command[] => Array.from({ length: n }, (_, i) => one(i))

test('a few commands are shown one by one', () => {
  expect(lines(times(3, (i) => command(`ZADD board ${i} ann`, 1)))).toEqual(['ZADD board 0 ann → 1', 'ZADD board 1 ann → 1', 'ZADD board 2 ann → 1'])
})

test('many of one kind are one line, with what they have in common', () => {
  expect(lines([
    ...times(50, () => command('ZCARD limit', 0)), ...times(50, (i) => command(`ZADD limit ${i} m`, i === 0 ? 1 : 0)), command('EXPIRE limit 60', 1),
  ])).toEqual(['ZCARD limit × 50 → 0', 'ZADD limit … × 50 → 1 … 0', 'EXPIRE limit 60 → 1'])
})

test('another key, or another fate, is another kind', () => {
  expect(lines([...times(4, () => command('INCR a', 1)), ...times(4, () => command('INCR b', 1)), command('INCR b', 2, 'cut')]))
    .toEqual(['INCR a × 4 → 1', 'INCR b × 4 → 1', 'INCR b → 2 cut'])
})

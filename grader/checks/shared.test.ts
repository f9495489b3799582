import { expect, test } from 'vitest'
import { shared } from './shared.ts'

test('what is free is had at once, and what is not goes to who has waited longest', async () => {
  const { take, give } = shared(['a'])
  const got: string[] = []
  expect(await take()).toBe('a')
  const first = take().then((thing) => got.push(`first ${thing}`))
  const second = take().then((thing) => got.push(`second ${thing}`))
  await Promise.resolve()
  expect(got).toEqual([])
  give('a')
  await first
  expect(got).toEqual(['first a'])
  give('a')
  await second
  expect(got).toEqual(['first a', 'second a'])
})

test('nobody has a thing that somebody else has', async () => {
  const { take, give } = shared([1, 2, 3])
  const inUse = new Set<number>()
  let most = 0
  await Promise.all(Array.from({ length: 50 }, async () => {
    const thing = await take()
    expect(inUse.has(thing)).toBe(false)
    most = Math.max(most, inUse.add(thing).size)
    await new Promise((resolve) => setImmediate(resolve))
    inUse.delete(thing)
    give(thing)
  }))
  expect(most).toBe(3)
})

import { expect, test } from 'vitest'
import { patience, renewPatience, waitedInVain } from './patience.ts'

test('a submission that has let wait in vain twice is waited for a third as long', () => {
  renewPatience()
  waitedInVain()
  expect(patience(6000)).toBe(6000)
  waitedInVain()
  expect([6000, 3000, 1500, 500].map(patience)).toEqual([2000, 1000, 1000, 500])
})

test('the next submission is waited for in full', () => {
  waitedInVain()
  waitedInVain()
  renewPatience()
  expect(patience(6000)).toBe(6000)
})

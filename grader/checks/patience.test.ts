import { expect, test } from 'vitest'
import { patience, renewPatience, waitedInVain } from './patience.ts'

test('a submission that has let two checks wait in vain is waited for a third as long', () => {
  renewPatience()
  waitedInVain('one')
  expect(patience(6000)).toBe(6000)
  waitedInVain('another')
  expect([6000, 3000, 1500, 500].map(patience)).toEqual([2000, 1000, 1000, 500])
})

test('a check that is tried again waits in vain once', () => {
  renewPatience()
  waitedInVain('one')
  waitedInVain('one')
  expect(patience(6000)).toBe(6000)
})

test('the next submission is waited for in full', () => {
  waitedInVain('one')
  waitedInVain('another')
  renewPatience()
  expect(patience(6000)).toBe(6000)
})

import { expect, test } from 'vitest'
import type { Outcome, Verdict } from '#scoring/outcome.ts'
import { twoOfThree } from './tries.ts'

test.each<[tries: Verdict[], machine: 'idle' | 'crowded', verdict: Verdict]>([
  [['pass'], 'crowded', 'pass'],
  [['fail'], 'idle', 'fail'],
  [['fail', 'fail'], 'crowded', 'fail'],
  [['fail', 'pass', 'pass'], 'crowded', 'pass'],
  [['fail', 'pass', 'fail'], 'crowded', 'fail'],
  [['fail', 'inconclusive'], 'crowded', 'inconclusive'],
  [['inconclusive'], 'crowded', 'inconclusive'],
  [['skipped'], 'crowded', 'skipped'],
])('%j on a machine that is %s: %s', async (tries, machine, verdict) => {
  const left = [...tries]
  const tryOnce = async (): Promise<Outcome> =>
    ({ id: 'a', verdict: left.shift()!, message: null, evidence: null, blockedBy: null, durationMs: 1 })
  expect((await twoOfThree(tryOnce, () => machine === 'crowded')).verdict).toBe(verdict)
  expect(left).toEqual([])
})

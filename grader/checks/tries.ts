import type { Outcome } from '#scoring/outcome.ts'

/**
 * What trying a check comes to. Where `crowded` says that one failure may be for want of a core, it counts when two of
 * three tries fail: a mistake fails again, bad luck seldom does.
 */
export async function twoOfThree(tryOnce: () => Promise<Outcome>, crowded: () => boolean): Promise<Outcome> {
  const first = await tryOnce()
  if (first.verdict !== 'fail' || !crowded()) return first
  const second = await tryOnce()
  return second.verdict === 'pass' ? tryOnce() : second
}

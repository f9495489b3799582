/**
 * Splits a whole number of units by weight into whole numbers that add up to
 * it exactly: each share rounded down, what is left to the largest remainders.
 * All zeros when no weight is above zero.
 */
export function apportion(units: number, weights: readonly number[]): number[] {
  const all = weights.reduce((total, weight) => total + weight, 0)
  if (all <= 0) return weights.map(() => 0)
  const exact = weights.map((weight) => (units * weight) / all)
  const shares = exact.map(Math.floor)
  const left = units - shares.reduce((total, share) => total + share, 0)
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value - shares[index]! }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index)
  for (const { index } of byRemainder.slice(0, left)) shares[index]! += 1
  return shares
}

/**
 * The candidate that takes the fewest single-letter edits to reach, or null
 * when even the best one is too far to be what was meant.
 */
export function nearest(typed: string, candidates: Iterable<string>): string | null {
  let best: { name: string; edits: number } | null = null
  for (const name of candidates) {
    const edits = distance(typed, name)
    if (!best || edits < best.edits) best = { name, edits }
  }
  return best && best.edits <= Math.max(2, best.name.length / 3) ? best.name : null
}

/** Levenshtein's distance, one row of the table at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}

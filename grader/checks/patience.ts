/**
 * How long a submission is waited for. One that lets everybody wait in vain does so in check after check: after the
 * second time it is not waited for as long, which costs it nothing more and its author less.
 */
let inVain = 0

const ENOUGH = 2

/** What is waited less than this, in milliseconds, is waited in full. */
const AT_LEAST_MS = 1000

/** For a new submission. */
export function renewPatience(): void {
  inVain = 0
}

/** A check failed because what it waited for never came. */
export function waitedInVain(): void {
  inVain++
}

/** What is left of a wait of `ms` milliseconds. */
export function patience(ms: number): number {
  return inVain < ENOUGH ? ms : Math.max(Math.min(ms, AT_LEAST_MS), ms / 3)
}

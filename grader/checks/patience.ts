/**
 * How long a submission is waited for. One that lets everybody wait in vain does so in check after check: after the
 * second check it is not waited for as long, which costs it nothing more and its author less.
 */
const inVain = new Set<string>()

const ENOUGH = 2

/** What is waited less than this, in milliseconds, is waited in full. */
const AT_LEAST_MS = 1000

/** For a new submission. */
export function renewPatience(): void {
  inVain.clear()
}

/** What the check `id` waited for never came; when it is tried again and waits in vain again, that is nothing new. */
export function waitedInVain(id: string): void {
  inVain.add(id)
}

/** What is left of a wait of `ms` milliseconds. */
export function patience(ms: number): number {
  return inVain.size < ENOUGH ? ms : Math.max(Math.min(ms, AT_LEAST_MS), ms / 3)
}

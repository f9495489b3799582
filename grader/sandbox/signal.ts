/** Signals a process, or where `pid` is negative a process group; one that has ended does not mind. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended first.
  }
}

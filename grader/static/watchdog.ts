import { readdirSync, readFileSync } from 'node:fs'

const everyMs = 50
const pageBytes = 4096

/**
 * Calls `tooMuch` once when the process and its descendants together hold more
 * than `limitBytes` in memory. Compilers reserve far more address space than
 * they use, so a resource limit would hit the innocent. Needs /proc; elsewhere
 * the deadline alone bounds the process.
 */
export function watchMemory(pid: number, limitBytes: number, tooMuch: () => void): { stop(): void } {
  if (process.platform !== 'linux') return { stop: () => {} }
  const family = trackFamily(pid)
  const timer = setInterval(() => {
    const used = family().reduce((sum, member) => sum + residentBytes(member), 0)
    if (used <= limitBytes) return
    clearInterval(timer)
    tooMuch()
  }, everyMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

/** The living descendants of a process. Each pid's parent is read once: a busy machine has thousands. */
function trackFamily(root: number): () => number[] {
  const known = new Map<number, boolean>()
  return () => {
    const alive = readdirSync('/proc').map(Number).filter((pid) => pid >= root).sort((a, b) => a - b)
    for (const pid of alive) {
      if (!known.has(pid)) known.set(pid, pid === root || known.get(parentOf(pid)) === true)
    }
    return alive.filter((pid) => known.get(pid))
  }
}

function parentOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  // The name in parentheses may hold spaces and parentheses itself.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

function residentBytes(pid: number): number {
  return Number(read(`/proc/${pid}/statm`).split(' ')[1] ?? 0) * pageBytes
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

import { readFileSync } from 'node:fs'
import os from 'node:os'

/** More than this between two looks is time in which this process was not served itself, in milliseconds. */
const SERVED_EVERY_MS = 200

const LOOK_EVERY_MS = 50

/**
 * Milliseconds since it was made, as they pass for processes that get on undisturbed: time in which this process stood
 * still does not count, and on a machine that others keep busy the rest counts in proportion. Deadlines by it are the
 * same promise on a slow machine as on an idle one. Must be asked often.
 */
export function stopwatch(): () => number {
  let last = performance.now()
  let passed = 0
  return () => {
    const now = performance.now()
    passed += Math.min(now - last, SERVED_EVERY_MS) / slowness(now)
    last = now
    return passed
  }
}

/** How often a deadline is looked at, in milliseconds. */
const DUE_EVERY_MS = 100

/** Calls `late` once when so many milliseconds have passed for a process that gets on undisturbed; returns what calls it off. */
export function afterServed(ms: number, late: () => void): () => void {
  const passed = stopwatch()
  const timer = setInterval(() => {
    if (passed() < ms) return
    clearInterval(timer)
    late()
  }, DUE_EVERY_MS)
  return () => clearInterval(timer)
}

let known = { at: -Infinity, slowness: 1 }

/** Whether more processes want the cores, or did for the last minute, than gradings side by side keep at work. */
export function crowded(): boolean {
  return Math.max(runnable(), os.loadavg()[0]!) > 3 * os.availableParallelism()
}

/** How many processes want each core, half of them taken for granted: a grading keeps a few of its own at work. */
function slowness(now: number): number {
  if (now - known.at > LOOK_EVERY_MS) known = { at: now, slowness: Math.max(1, runnable() / (2 * os.availableParallelism())) }
  return known.slowness
}

function runnable(): number {
  try {
    // https://man7.org/linux/man-pages/man5/proc_loadavg.5.html: the fourth field counts what can run at this moment.
    return Number(/ (\d+)\/\d+ /.exec(readFileSync('/proc/loadavg', 'utf8'))?.[1])
  } catch {
    return os.loadavg()[0]!
  }
}

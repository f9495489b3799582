import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { hash } from '#services/place.ts'
import { atExit } from './at-exit.ts'

/** A private folder for as long as this process needs it. */
export interface Scratch {
  readonly folder: string
  remove(): void
}

/** A disk may be shared with machines and containers whose processes have the same numbers. */
const HERE = `rkk-${hash(hostname()).slice(0, 4)}-`

/**
 * Makes a scratch folder on `disk`, with a short path. It is gone when this process is: at its exit, and where the process
 * was killed and had none, as soon as another process of its user makes its first one on the same disk.
 */
export function scratchOn(disk: string): Scratch {
  if (!swept.has(disk)) sweep(disk)
  swept.add(disk)
  const folder = mkdtempSync(join(disk, `${HERE}${process.pid}-`))
  const discard = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  const ending = atExit(discard)
  return {
    folder,
    remove() {
      discard()
      ending.callOff()
    },
  }
}

const swept = new Set<string>()

/** Removes what processes left that are no more. Whoever else sweeps at the same time is welcome. */
function sweep(disk: string): void {
  for (const name of namesIn(disk)) {
    const pid = name.startsWith(HERE) ? Number.parseInt(name.slice(HERE.length), 10) : NaN
    if (Number.isNaN(pid) || isAlive(pid)) continue
    const folder = join(disk, name)
    try {
      if (statSync(folder).uid === process.getuid?.()) rmSync(folder, { recursive: true, force: true })
    } catch {
      // It is gone already, or somebody else's.
    }
  }
}

/** A disk on which one may write need not be one that one may list. */
function namesIn(disk: string): string[] {
  try {
    return readdirSync(disk)
  } catch {
    return []
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

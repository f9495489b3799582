import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { atExit } from './at-exit.ts'

/** A private folder for as long as this process needs it. */
export interface Scratch {
  readonly folder: string
  remove(): void
}

/**
 * Makes a scratch folder on `disk`, with a short path. It is gone when this process is: at its exit, and where the process
 * was killed and had none, as soon as its user wants another one on the same disk.
 */
export function scratchOn(disk: string): Scratch {
  sweep(disk)
  const folder = mkdtempSync(join(disk, `rkk-${process.pid}-`))
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

/** Removes what processes left that are no more. Whoever else sweeps at the same time is welcome. */
function sweep(disk: string): void {
  for (const name of readdirSync(disk)) {
    const [, pid] = /^rkk-(\d+)-/.exec(name) ?? []
    if (pid === undefined || isAlive(Number(pid))) continue
    const folder = join(disk, name)
    try {
      if (statSync(folder).uid === process.getuid?.()) rmSync(folder, { recursive: true, force: true })
    } catch {
      // It is gone already, or somebody else's.
    }
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

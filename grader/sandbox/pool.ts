import fs from 'node:fs'
import path from 'node:path'
import type { Isolation } from '../grade.types.ts'
import { startHost, type Host } from './host.ts'
import { openLauncher } from './launcher.ts'

/** Processes that are ready before anybody needs them. None has seen a submission. */
export interface HostPool {
  /** A new process for one submission; the caller ends it. `patience` tells how long a call into it may take, in milliseconds. */
  take(patience: () => number): Host
  /** Starts as many as were taken. */
  refill(): void
  /** Resolves if no more can be started, and all that were are gone. */
  readonly lost: Promise<void>
  close(): Promise<void>
}

/** `image` is what `hostImage()` gave, `folder` a private one with a short path, `spare` how many are kept ready. */
export async function hostPool(kind: Isolation, image: string, folder: string, spare: number): Promise<HostPool> {
  const packages = path.join(folder, 'node_modules')
  fs.symlinkSync(path.join(image, 'node_modules'), packages)
  const launcher = await openLauncher(folder)
  const ready: Host[] = []
  let count = 0
  let closed = false

  const start = (): Host => {
    const own = path.join(folder, String(++count))
    const [submission, wires] = ['s', 'w'].map((name) => path.join(own, name)) as [string, string]
    for (const place of [submission, wires]) fs.mkdirSync(place, { recursive: true })
    return startHost(launcher, kind, { image, packages, submission, wires })
  }

  return {
    lost: launcher.lost,
    take(patience) {
      let host = ready.shift()
      while (host && !host.alive()) host = ready.shift()
      host ??= start()
      host.patience = patience
      return host
    },
    refill() {
      while (!closed && ready.length < spare) ready.push(start())
    },
    async close() {
      closed = true
      await Promise.all(ready.splice(0).map((host) => host.kill()))
      launcher.close()
    },
  }
}

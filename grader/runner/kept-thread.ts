import os from 'node:os'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import type { PoolRunnerInitializer, PoolWorker } from 'vitest/node'
import type { ThreadConfig } from '#checks/hosts.ts'
import { hostImage } from '#sandbox/image.ts'
import { memoryDisk } from '#services/place.ts'
import { isolation } from '#sandbox/isolation.ts'
import { scratchOn } from '../scratch.ts'

export interface KeptThread {
  /** Private to this thread and to who keeps it. */
  readonly folder: string
  /** For Vitest: every run is handed the same thread. */
  readonly pool: PoolRunnerInitializer
  /** Has processes started in the place of those that were used. */
  refill(): void
  /** False when it has ended by itself. */
  alive(): boolean
  /** What it threw as it ended, or null. */
  failure(): Error | null
  /** Ends the thread, and the processes it keeps. */
  close(): Promise<void>
}

/** Starts the thread in which checks run. It loads while others do: Vitest, and whoever reads the submission. */
export async function keepThread(): Promise<KeptThread> {
  const { folder, remove } = scratchOn(memoryDisk() ?? os.tmpdir())
  const workerData: ThreadConfig = { isolation: isolation(), image: await hostImage(), folder }
  const thread = new Worker(path.join(import.meta.dirname, 'thread.ts'), { workerData, stdout: true, stderr: true })
  let alive = true
  let failure: Error | null = null
  // Heard from the start: until Vitest listens, nobody else does, and an error that nobody hears ends the process.
  thread.on('error', (error: Error) => {
    failure = error
    alive = false
  })
  const ended = new Promise<void>((resolve) => thread.once('exit', () => {
    alive = false
    resolve()
  }))
  // Who waits for it keeps the process; the thread itself does not.
  thread.unref()
  return {
    folder,
    pool: { name: 'kept-thread', createPoolWorker: () => oneRunOf(thread, () => alive) },
    refill: () => thread.postMessage('refill'),
    alive: () => alive,
    failure: () => failure,
    async close() {
      thread.ref()
      thread.postMessage('close')
      await ended
      remove()
    },
  }
}

/** A pool worker as Vitest wants one for every run; what it hears ends with the run, the thread does not. */
function oneRunOf(thread: Worker, alive: () => boolean): PoolWorker {
  const heard: [event: string, listener: (...args: unknown[]) => void][] = []
  return {
    name: 'threads',
    on(event, listener) {
      heard.push([event, listener])
      thread.on(event, listener)
    },
    off: (event, listener) => void thread.off(event, listener),
    send: (message) => thread.postMessage(message),
    deserialize: (data) => data,
    // Of a thread that has ended already nobody would hear anything more.
    start: async () => { if (!alive()) throw new Error('the thread of the checks has ended') },
    stop: async () => { for (const [event, listener] of heard) thread.off(event, listener) },
  }
}

import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import net from 'node:net'
import path from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import type { Launch } from './isolation.ts'
import type { How, News, Order } from './launcher/orders.ts'
import { signal } from './signal.ts'

/** A process that starts others: a fork copies a table of all that a process holds, and the grader holds hundreds of megabytes. */
export interface Launcher {
  launch(plan: Launch, env: Order['env']): Launched
  /** Resolves if it ends by itself. What it had started is gone with it, and nothing more can be started. */
  readonly lost: Promise<void>
  /** Ends it, and what still runs of what it has started. */
  close(): void
}

/** A process that runs, or will in a moment. */
export interface Launched {
  /** Its fd 3; what is written here before it runs waits for it. */
  readonly pipe: Duplex
  /** What it prints, both fd 1 and fd 2. */
  readonly output: Readable
  /** Resolves when it is gone; with null when it never ran. */
  readonly ended: Promise<How | null>
  /** Resolves when its pid is known, or it has ended. */
  readonly known: Promise<void>
  /** The pid of Node itself: bubblewrap tells that of its child, which is what stops and goes on. */
  pid(): number | undefined
  kill(): void
}

interface Running {
  pid?: number
  inner?: number
  isDoomed?: true
  readonly tellsPid: boolean
  readonly known: () => void
  readonly ended: (how: How | null) => void
}

/** Starts one that listens in `folder`, a private one with a short path. Resolves when it does. */
export async function openLauncher(folder: string): Promise<Launcher> {
  // Unguessable: whoever connects here takes the place of a process.
  const socket = path.join(folder, randomUUID().slice(0, 13))
  // Out of reach of the terminal: a Ctrl-C ends the grader, and the launcher must be there to end the rest.
  const launcher = fork(path.join(import.meta.dirname, 'launcher', 'main.ts'), [socket], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: lean, detached: true,
  })
  const running = new Map<number, Running>()
  let count = 0
  let closed = false
  const listening = Promise.withResolvers<void>()
  const lost = Promise.withResolvers<void>()
  launcher.on('message', (news: News) => {
    if (news.type === 'ready') return listening.resolve()
    const one = running.get(news.id)
    // What is told of the inner process may come after the end of the outer one.
    if (!one) return
    if (news.type === 'started') {
      one.pid = news.pid
      if (one.isDoomed) signal(-news.pid, 'SIGKILL')
      if (!one.tellsPid) one.known()
    }
    if (news.type === 'inner') {
      one.inner = news.pid
      one.known()
    }
    if (news.type === 'ended') {
      running.delete(news.id)
      one.known()
      one.ended(news.how)
    }
  })
  launcher.once('error', listening.reject)
  launcher.once('exit', (code, name) => {
    listening.reject(new Error(`the process that starts the hosts ended by itself (${name ?? `exit code ${code}`})`))
    if (!closed) return lost.resolve()
    for (const { ended } of running.values()) ended(null)
  })
  await listening.promise

  return {
    lost: lost.promise,
    launch({ command, args, tellsPid }, env) {
      const ended = Promise.withResolvers<How | null>()
      const known = Promise.withResolvers<void>()
      const id = ++count
      const one: Running = { tellsPid, known: known.resolve, ended: ended.resolve }
      running.set(id, one)
      // In this order: the launcher takes the first connection for the output.
      const [output, pipe] = [net.connect(socket), net.connect(socket)]
      for (const connection of [output, pipe]) connection.on('error', () => {})
      launcher.send({ id, command, args, env, tellsPid } satisfies Order)
      return {
        output, pipe,
        ended: ended.promise,
        known: known.promise,
        pid: () => (tellsPid ? one.inner : one.pid),
        kill() {
          if (one.pid === undefined) one.isDoomed = true
          else if (running.has(id)) signal(-one.pid, 'SIGKILL')
        },
      }
    },
    close() {
      closed = true
      launcher.disconnect()
    },
  }
}

/** It is small, and stays so. */
const lean = ['--no-warnings', '--max-semi-space-size=1', '--v8-pool-size=0']

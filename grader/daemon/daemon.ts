import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { codeCache, runtimeDir } from '#services/place.ts'
import { until } from '#services/wait.ts'

/** A process that outlives the command which started it, and is spoken to on a unix socket. */
export interface Daemon {
  /** For messages: "the keeper of the services". */
  readonly name: string
  readonly main: string
  readonly socket: string
  /** What it printed, in a file. */
  readonly log: string
}

/** A connection to the daemon that runs, or null. */
export function reach({ socket: path }: Daemon): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket)).once('error', () => resolve(null))
  })
}

/**
 * Starts processes until one can be reached: the first may find that another command's is just ending.
 * Throws an Error that says what it waited for.
 */
export async function start(daemon: Daemon): Promise<Socket> {
  let child: ChildProcess | undefined
  let failure: Error | undefined
  return await until(`${daemon.name} answering`, async () => {
    if (failure) throw failure
    if (!child || child.exitCode !== null) {
      child = launch(daemon)
      child.once('error', (error) => {
        failure = error
      })
    }
    return await reach(daemon) ?? undefined
  }, { deadlineMs: 10_000 })
}

/** The last line of its log that names an error, or ''. */
export function lastError({ log }: Daemon): string {
  try {
    return readFileSync(log, 'utf8').trim().split('\n').findLast((text) => text.includes('Error')) ?? ''
  } catch {
    return ''
  }
}

/** Where a daemon of this name has its socket and its log. */
export function placeOf(name: string, dir = runtimeDir()): Pick<Daemon, 'socket' | 'log'> {
  return { socket: join(dir, `${name}.sock`), log: join(dir, `${name}.log`) }
}

function launch({ main, log }: Daemon): ChildProcess {
  const output = openSync(log, 'a', 0o600)
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, [main], {
    // Its own session, its own folder: it outlives the command and keeps no directory or terminal busy.
    detached: true,
    cwd: runtimeDir(),
    env: { ...env, NODE_COMPILE_CACHE: codeCache() },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  child.unref()
  return child
}

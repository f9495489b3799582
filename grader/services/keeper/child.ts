import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { forgetProcess, rememberProcess } from './registry.ts'

export interface Child {
  readonly pid: number
  readonly exited: Promise<void>
  hasExited(): boolean
  /** The end of what it printed, for an error message; empty once it was ended. */
  lastWords(): string
  /** SIGKILL: no server of the kit has anything to save. */
  end(): Promise<void>
}

/** Starts a server as a child of the keeper; what it prints goes to the file `log`, `input` to its stdin. */
export function startChild(command: string, args: readonly string[], { cwd, log, input = '' }: {
  cwd: string
  log: string
  input?: string
}): Child {
  const output = openSync(log, 'w', 0o600)
  const child = spawn(command, args, { cwd, stdio: ['pipe', output, output] })
  closeSync(output)
  const { pid } = child
  running.add(child)
  let gone = pid === undefined
  if (pid !== undefined) rememberProcess(pid)
  const exited = new Promise<void>((resolve) => {
    const finish = () => {
      if (pid !== undefined && !gone) forgetProcess(pid)
      gone = true
      running.delete(child)
      resolve()
    }
    child.once('exit', finish).once('error', finish)
  })
  // A server that dies at once closes the pipe under our hands; its exit tells enough.
  child.stdin!.on('error', () => {}).end(input)
  return {
    pid: pid ?? 0,
    exited,
    hasExited: () => gone,
    lastWords: () => words(log),
    end: async () => {
      if (!gone) child.kill('SIGKILL')
      await exited
      rmSync(log, { force: true })
    },
  }
}

/** Ends all that still run, without waiting: for the exit of the keeper. */
export function endChildren(): void {
  for (const child of running) child.kill('SIGKILL')
}

const running = new Set<ChildProcess>()

function words(log: string): string {
  try {
    return readFileSync(log, 'utf8').trim().split('\n').slice(-3).join(' ').slice(-400)
  } catch {
    return ''
  }
}

import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runtimeDir } from '#services/place.ts'

/** What a keeper has started, written down before it is used, so that the next keeper can end what this one left. */
interface State {
  processes: { pid: number; started: string }[]
  containers: { id: string; dockerHost: string }[]
}

const state: State = { processes: [], containers: [] }
const file = () => join(runtimeDir(), 'state.json')

/** Call in the same turn as the spawn: a keeper killed in between would leave an unknown process behind. */
export function rememberProcess(pid: number): void {
  state.processes.push({ pid, started: startOf(pid) ?? '' })
  save()
}

export function forgetProcess(pid: number): void {
  state.processes = state.processes.filter((process) => process.pid !== pid)
  save()
}

export function rememberContainer(id: string, dockerHost: string): void {
  state.containers.push({ id, dockerHost })
  save()
}

export function forgetContainer(id: string): void {
  state.containers = state.containers.filter((container) => container.id !== id)
  save()
}

/** Ends exactly the processes a killed keeper left: same id and same start, never a newcomer that got the id. */
export function endOrphans(): State['containers'] {
  const left = read()
  for (const { pid, started } of left.processes) {
    if (started !== '' && startOf(pid) === started) process.kill(pid, 'SIGKILL')
  }
  rmSync(file(), { force: true })
  return left.containers
}

/** Whether a keeper was killed while it had something running. */
export function hasOrphans(): boolean {
  const { processes, containers } = read()
  return processes.length + containers.length > 0
}

function read(): State {
  try {
    return JSON.parse(readFileSync(file(), 'utf8')) as State
  } catch {
    return { processes: [], containers: [] }
  }
}

function save(): void {
  const draft = `${file()}.draft`
  writeFileSync(draft, JSON.stringify(state))
  renameSync(draft, file())
}

/** When a process started, as its system tells it; null when there is no such process. */
export function startOf(pid: number): string | null {
  try {
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold spaces and parentheses: count the fields after it. A zombie is gone already.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : fields[19]
  } catch {
    return null
  }
}

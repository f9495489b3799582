import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { kitFolder } from '#catalog/exercise.ts'
import { atExit } from '../at-exit.ts'
import { nodeModules } from './workspace.ts'

/**
 * Starts a script of this folder in a process that sees nothing but the
 * workspace (writable), the toolchain (read-only), and no network: under
 * bubblewrap where there is one. Without it the script runs as it is: it only
 * reads the submission, and never runs it.
 */
export async function startIsolated(script: string, workspace: string): Promise<ChildProcess> {
  const node = [process.execPath, '--max-old-space-size=512', join(import.meta.dirname, script), workspace]
  const command = (await bubblewrapWorks()) ? ['bwrap', ...walls(workspace), '--', ...node] : node
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { PATH: process.env.PATH, HOME: workspace, TMPDIR: workspace },
  })
  const ending = atExit(() => kill(child))
  child.once('close', ending.callOff)
  return child
}

/** Ends it with everything it started. */
export function kill(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch {
    // Already gone.
  }
}

function walls(workspace: string): string[] {
  const system = ['/usr', '/bin', '/lib', '/lib32', '/lib64', '/etc/ld.so.cache', '/etc/alternatives', '/nix/store']
  const toolchain = [process.execPath, nodeModules, join(kitFolder, 'package.json'), import.meta.dirname]
  return [
    ...['--unshare-all', '--die-with-parent', '--clearenv'],
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
    ...system.flatMap((path) => ['--ro-bind-try', path, path]),
    ...toolchain.flatMap((path) => ['--ro-bind', path, path]),
    ...['--bind', workspace, workspace, '--chdir', workspace],
    ...['--setenv', 'HOME', workspace, '--setenv', 'TMPDIR', workspace],
  ]
}

let works: Promise<boolean> | undefined

/** It may be installed and still not be allowed to make namespaces. */
function bubblewrapWorks(): Promise<boolean> {
  works ??= new Promise((resolve) => {
    execFile('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true'], (error) => resolve(!error))
  })
  return works
}

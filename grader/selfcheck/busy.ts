import { spawn } from 'node:child_process'
import os from 'node:os'

/** Loads every core with a process that does nothing but count; returns what ends them. */
export function busyCores(): () => void {
  const spinners = Array.from({ length: os.availableParallelism() }, () =>
    // It ends by itself when the pipe closes, so that a killed self-check leaves nothing running.
    spawn(process.execPath, ['-e', 'process.stdin.on("close", () => process.exit()).resume(); setInterval(() => { for (let i = 0; i < 5e7; i++); }, 0)'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    }))
  return () => { for (const spinner of spinners) spinner.kill('SIGKILL') }
}

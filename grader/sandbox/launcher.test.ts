import { execFileSync, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isolation } from './isolation.ts'
import { openLauncher, type Launched, type Launcher } from './launcher.ts'

let folder: string
let launcher: Launcher
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'launcher-'))
  launcher = await openLauncher(folder)
})
afterAll(() => {
  launcher.close()
  fs.rmSync(folder, { recursive: true, force: true })
})

const start = (command: string, ...args: string[]): Launched =>
  launcher.launch({ command, args, inside: { program: '', submission: '', wires: '' }, tellsPid: false }, { GREETING: 'hello' })

const PARROT = `
  const pipe = new (require('node:net').Socket)({ fd: 3 })
  pipe.once('data', (word) => {
    console.log(process.env.GREETING, String(word))
    console.error('more')
    pipe.end('back', () => process.exit(3))
  })
`

test('each has its own output and pipe, and tells how it ended', async () => {
  const all = ['a', 'b', 'c', 'd', 'e'].map((word) => {
    const parrot = start(process.execPath, '-e', PARROT)
    parrot.pipe.write(word)
    return Promise.all([text(parrot.output), text(parrot.pipe), parrot.ended])
  })
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd', 'e'].map((word) => [`hello ${word}\nmore\n`, 'back', { code: 3, signal: null }]))
})

test('what cannot be started has ended, and the next one is started', async () => {
  const [missing, next] = [start(path.join(folder, 'no-such-program')), start('true')]
  expect(await missing.ended).toBeNull()
  expect(await next.ended).toEqual({ code: 0, signal: null })
})

test('it can be killed before it runs', async () => {
  const one = start('sleep', '60')
  expect(one.pid()).toBeUndefined()
  one.kill()
  expect(await one.ended).toEqual({ code: null, signal: 'SIGKILL' })
})

// Bubblewrap starts a process of its own, which does not know yet in its first moments with whom it has to die.
test.runIf(isolation() === 'bubblewrap')('nothing is left of what is killed as it starts', async () => {
  const seconds = `60.${randomInt(1e9)}`
  const all = await Promise.all(Array.from({ length: 60 }, async (_, i) => {
    const one = start('bwrap', '--die-with-parent', '--unshare-all', '--as-pid-1', '--ro-bind', '/', '/', 'sleep', seconds)
    await one.known
    await pause(i / 10)
    one.kill()
    return one.ended
  }))
  expect(all.every((how) => how?.signal === 'SIGKILL')).toBe(true)
  await expect.poll(() => commandsWith(seconds), { timeout: 5000 }).toEqual([])
})

test.each([
  ['is killed', 1, 'SIGKILL'],
  ['is interrupted at its terminal', -1, 'SIGINT'],
] as const)('nothing it has started survives a grader that %s', async (_name, group, name) => {
  const grader = spawn(process.execPath, ['--input-type=module', '-e', `
    import { openLauncher } from ${JSON.stringify(path.join(import.meta.dirname, 'launcher.ts'))}
    const launcher = await openLauncher(${JSON.stringify(folder)})
    const { output } = launcher.launch({ command: 'sh', args: ['-c', 'echo $$; sleep 60'], tellsPid: false }, {})
    output.pipe(process.stdout)
  `], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const [line] = await once(grader.stdout, 'data') as [Buffer]
  const pid = Number(line.toString())
  expect(isRunning(pid)).toBe(true)
  process.kill(group * grader.pid!, name)
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false)
})

test('nothing survives a grader that is killed while the launcher has much to tell', async () => {
  const seconds = `60.${randomInt(1e9)}`
  const grader = spawn(process.execPath, ['--input-type=module', '-e', `
    import { openLauncher } from ${JSON.stringify(path.join(import.meta.dirname, 'launcher.ts'))}
    const launcher = await openLauncher(${JSON.stringify(folder)})
    for (let i = 0; i < 40; i++) launcher.launch({ command: 'sleep', args: ['${seconds}'], tellsPid: false }, {}).known.then(() => console.log('one'))
  `], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  await once(grader.stdout, 'data')
  process.kill(grader.pid!, 'SIGKILL')
  await once(grader, 'exit')
  await expect.poll(() => commandsWith(seconds), { timeout: 10_000 }).toEqual([])
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The pids of the processes that have `word` in their command. */
function commandsWith(word: string): string[] {
  try {
    return execFileSync('pgrep', ['-f', word], { encoding: 'utf8' }).trim().split('\n')
  } catch {
    return []
  }
}

import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Text } from '#catalog/text.ts'
import { codeCache, runtimeDir, socketPath } from '#services/place.ts'
import { Obstacle } from '#services/unavailable.ts'
import { until } from '#services/wait.ts'
import { onMessage, send } from './lines.ts'
import type { Answer, Request } from './protocol.ts'

/** The last answer to a request, and the connection it came on. */
export interface Call {
  readonly answer: Exclude<Answer, { type: 'progress' }>
  readonly socket: Socket
}

/** Asks the running keeper; null when none runs. */
export async function callRunning(request: Request): Promise<Call | null> {
  const socket = await reach()
  return socket && ask(socket, request, () => {})
}

/** Asks the keeper, starting one if none runs, and another one if it was retired or ended on the way. */
export async function call(request: Request, onProgress: (message: Text) => void): Promise<Call> {
  for (let left = 5; left > 0; left--) {
    const done = await ask(await reach() ?? await start(), request, onProgress)
    if (done && done.answer.type !== 'retired') return done
  }
  throw broken('it ended again and again')
}

/** The last answer, or null when the keeper closed the connection without one. */
function ask(socket: Socket, request: Request, onProgress: (message: Text) => void): Promise<Call | null> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve(null)).on('error', () => {})
    onMessage<Answer>(socket, (answer) => {
      if (answer.type === 'progress') onProgress(answer.message)
      else resolve({ answer, socket })
    })
    send(socket, request)
  })
}

function reach(): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(socketPath())
    socket.once('connect', () => resolve(socket)).once('error', () => resolve(null))
  })
}

/** Starts keepers until one can be reached: the first may find that another command's keeper is just ending. */
async function start(): Promise<Socket> {
  let keeper: ChildProcess | undefined
  let failure: Error | undefined
  try {
    return await until('the keeper of the services answering', async () => {
      if (failure) throw failure
      if (!keeper || keeper.exitCode !== null) {
        keeper = launch()
        keeper.once('error', (error) => {
          failure = error
        })
      }
      return await reach() ?? undefined
    }, { deadlineMs: 10_000 })
  } catch (error) {
    throw broken((error as Error).message)
  }
}

function launch(): ChildProcess {
  const log = openSync(logFile(), 'a', 0o600)
  const { NODE_OPTIONS: _, ...env } = process.env
  const keeper = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    // Its own session, its own folder: it outlives the command and keeps no directory or terminal busy.
    detached: true,
    cwd: runtimeDir(),
    env: { ...env, NODE_COMPILE_CACHE: codeCache() },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  keeper.unref()
  return keeper
}

function broken(reason: string): Obstacle {
  const words = lastWords()
  return new Obstacle(
    {
      en: `the keeper of the services does not run (${reason}${words})`,
      vi: `tiến trình giữ dịch vụ không chạy được (${reason}${words})`,
    },
    `cat ${logFile()}`,
  )
}

const logFile = (): string => join(runtimeDir(), 'keeper.log')

function lastWords(): string {
  try {
    const line = readFileSync(logFile(), 'utf8').trim().split('\n').findLast((text) => text.includes('Error'))
    return line ? `; ${line}` : ''
  } catch {
    return ''
  }
}

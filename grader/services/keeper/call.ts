import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Text } from '#catalog/text.ts'
import { lastError, placeOf, reach, start, type Daemon } from '#daemon/daemon.ts'
import { onMessage, send } from '#daemon/lines.ts'
import { Obstacle } from '#services/unavailable.ts'
import type { Answer, Request } from './protocol.ts'

/** The last answer to a request, and the connection it came on. */
export interface Call {
  readonly answer: Exclude<Answer, { type: 'progress' }>
  readonly socket: Socket
}

/** Asks the running keeper; null when none runs. */
export async function callRunning(request: Request): Promise<Call | null> {
  const socket = await reach(keeper())
  return socket && ask(socket, request, () => {})
}

/** Asks the keeper, starting one if none runs, and another one if it was retired or ended on the way. */
export async function call(request: Request, onProgress: (message: Text) => void): Promise<Call> {
  for (let left = 5; left > 0; left--) {
    const done = await ask(await reach(keeper()) ?? await startKeeper(), request, onProgress)
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

const keeper = (): Daemon => ({ name: 'the keeper of the services', main: join(import.meta.dirname, 'main.ts'), ...placeOf('keeper') })

async function startKeeper(): Promise<Socket> {
  try {
    return await start(keeper())
  } catch (error) {
    throw broken((error as Error).message)
  }
}

function broken(reason: string): Obstacle {
  const words = lastError(keeper())
  const detail = words && `; ${words}`
  return new Obstacle(
    {
      en: `the keeper of the services does not run (${reason}${detail})`,
      vi: `tiến trình giữ dịch vụ không chạy được (${reason}${detail})`,
    },
    `cat ${keeper().log}`,
  )
}

/**
 * The resident grader: a daemon, one per user and copy of the kit, that keeps Vitest, the suites and a few empty
 * processes loaded between commands. It serves one command at a time and ends by itself when nobody has come for ten
 * minutes. A command that goes away in the middle takes it along: nothing half-graded is left behind.
 */
import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { findExercise } from '#catalog/exercise.ts'
import { placeOf } from '#daemon/daemon.ts'
import { onMessage, send } from '#daemon/lines.ts'
import { holdLock } from '#daemon/lock.ts'
import { openGrader } from '#grade'
import { ServicesUnavailable } from '#services/services.ts'
import { residentKey } from './key.ts'
import { plainEvent, SIDE_BY_SIDE, type Answer, type Request } from './protocol.ts'

const { socket: address, log } = placeOf('grader')
const idleMs = Number(process.env.KIT_IDLE_MS ?? 600_000)
const ownKey = residentKey()
let served: Socket | undefined
let underWay = 0
let idleTimer: NodeJS.Timeout | undefined

// Of two started at once the second finds the lock taken, and its client finds the first.
if (!holdLock(log.replace(/log$/, 'lock'))) process.exit(0)
rmSync(address, { force: true })
const grader = openGrader(SIDE_BY_SIDE)
createServer(serve).listen(address)
waitForWork()
process.title = 'redis-kafka-kit grader'
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, end)
process.on('unhandledRejection', (reason) => console.error(reason))

function serve(socket: Socket): void {
  socket.on('error', () => {}).on('close', () => {
    if (socket !== served) return
    if (underWay > 0) end()
    served = undefined
    grader.refill()
    waitForWork()
  })
  onMessage<Request>(socket, (request) => {
    switch (request.op) {
      case 'hello': return hello(socket, request.key)
      case 'grade': return void grade(socket, request)
      case 'down': return end()
    }
  })
}

function hello(socket: Socket, key: string): void {
  if (served) return reply(socket, { type: 'busy' })
  if (key !== ownKey) {
    rmSync(address, { force: true })
    reply(socket, { type: 'retired' })
    socket.end(end)
    return
  }
  served = socket
  clearTimeout(idleTimer)
  reply(socket, { type: 'welcome' })
}

async function grade(socket: Socket, { id, slug, submission, services }: Extract<Request, { op: 'grade' }>): Promise<void> {
  underWay++
  try {
    const { exercise: _, ...graded } = await grader.grade(
      findExercise(slug), { ...submission, files: new Map(submission.files) },
      { ...(services && { services }), onEvent: (event) => reply(socket, { type: 'event', id, event: plainEvent(event) }) })
    reply(socket, { type: 'graded', id, graded })
  } catch (error) {
    if (error instanceof ServicesUnavailable) return reply(socket, { type: 'unavailable', id, text: error.text })
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
    reply(socket, { type: 'failed', id, message, stack })
  } finally {
    underWay--
  }
}

function waitForWork(): void {
  clearTimeout(idleTimer)
  idleTimer = setTimeout(end, idleMs)
}

function reply(socket: Socket, answer: Answer): void {
  send(socket, answer)
}

/** Processes of learners' code end with their pipes, leases with their connections, folders at exit. */
function end(): void {
  rmSync(address, { force: true })
  process.exit(0)
}

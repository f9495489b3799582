import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Exercise } from '#catalog/exercise.ts'
import { placeOf, reach, start, type Daemon } from '#daemon/daemon.ts'
import { onMessage, send } from '#daemon/lines.ts'
import { ServicesUnavailable } from '#services/unavailable.ts'
import type { Graded, GradeEvent, Grader, GradeOptions } from '../grade.types.ts'
import { residentKey } from './key.ts'
import { SIDE_BY_SIDE, type Answer, type Request } from './protocol.ts'

const daemon = (): Daemon => ({ name: 'the resident grader', main: join(import.meta.dirname, 'main.ts'), ...placeOf('grader') })

/**
 * The grader that stays loaded between commands, started if none runs; one of this process's own while another command
 * is being served there, or where none can be had.
 */
export async function openResident(): Promise<Grader> {
  const socket = await greet().catch(() => null)
  return socket ? remote(socket) : own()
}

async function own(): Promise<Grader> {
  const { openGrader } = await import('#grade')
  return openGrader(SIDE_BY_SIDE)
}

/** Ends the resident grader, if one runs. */
export async function endResident(): Promise<void> {
  const socket = await reach(daemon())
  if (!socket) return
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    say(socket, { op: 'down' })
  })
}

const HELLO_MS = 10_000

/** A connection on which submissions may be sent, or null while somebody else is served. */
async function greet(): Promise<Socket | null> {
  const key = residentKey()
  for (let left = 5; left > 0; left--) {
    const socket = await reach(daemon()) ?? await start(daemon())
    const answer = await new Promise<Answer['type']>((resolve) => {
      socket.once('close', () => resolve('retired')).on('error', () => {})
      // One that does not answer at all is as good as busy.
      socket.setTimeout(HELLO_MS, () => resolve('busy'))
      onMessage<Answer>(socket, ({ type }) => resolve(type))
      say(socket, { op: 'hello', key })
    })
    socket.setTimeout(0).removeAllListeners('data')
    if (answer === 'welcome') return socket
    socket.destroy()
    if (answer === 'busy') return null
  }
  return null
}

interface Asked {
  readonly exercise: Exercise
  readonly options: GradeOptions
  readonly graded: PromiseWithResolvers<Graded>
}

function remote(socket: Socket): Grader {
  const asked: Asked[] = []
  let instead: Promise<Grader> | undefined
  let closed = false
  onMessage<Answer>(socket, (answer) => {
    if (!('id' in answer)) return
    const { exercise, options, graded } = asked[answer.id]!
    switch (answer.type) {
      case 'event': return options.onEvent?.({ ...answer.event, exercise } as GradeEvent)
      case 'graded': return graded.resolve({ ...answer.graded, exercise })
      case 'unavailable': return graded.reject(new ServicesUnavailable(answer.text))
      case 'failed': return graded.reject(Object.assign(new Error(answer.message), { stack: answer.stack }))
    }
  })
  socket.once('close', () => {
    for (const { graded } of asked) graded.reject(gone)
  })
  return {
    async grade(exercise, submission, options = {}) {
      const graded = Promise.withResolvers<Graded>()
      const id = asked.push({ exercise, options, graded }) - 1
      const { services = null } = options
      say(socket, { op: 'grade', id, slug: exercise.slug, services, submission: { ...submission, files: [...submission.files] } })
      try {
        return await graded.promise
      } catch (error) {
        if (error !== gone || closed) throw error
        return (await (instead ??= own())).grade(exercise, submission, options)
      }
    },
    async close() {
      closed = true
      socket.destroy()
      await (await instead)?.close()
    },
  }
}

const gone = new Error('the resident grader ended in the middle of its work')

function say(socket: Socket, request: Request): void {
  send(socket, request)
}

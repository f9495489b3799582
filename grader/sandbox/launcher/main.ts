/**
 * Starts processes for a grader. Argument: the path of the unix socket on which their connections come, two for each
 * order, in the order of the orders. It ends with the grader, and so does all that it has started.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import net, { type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { signal } from '../signal.ts'
import type { How, News, Order } from './orders.ts'

process.title = 'redis-kafka-kit launcher'

const orders: Order[] = []
const connections: Socket[] = []
const running = new Set<ChildProcess>()

// Nobody may read here what is meant for the process that is to come.
net.createServer({ pauseOnConnect: true }, (connection) => {
  connections.push(connection)
  obey()
}).listen(process.argv[2], () => tell({ type: 'ready' }))
process.on('message', (order: Order) => {
  orders.push(order)
  obey()
})
process.on('disconnect', () => {
  for (const { pid } of running) signal(-pid!, 'SIGKILL')
  process.exit()
})

function obey(): void {
  while (orders.length > 0 && connections.length >= 2) start(orders.shift()!, ...connections.splice(0, 2) as [Socket, Socket])
}

function start({ id, command, args, env, tellsPid }: Order, output: Socket, pipe: Socket): void {
  // A session of its own has no terminal, and its process group ends as one: bubblewrap's child does not know yet in its
  // first moments with whom it has to die.
  const child = spawn(command, args, { stdio: ['ignore', output, output, pipe, tellsPid ? 'pipe' : 'ignore'], env, detached: true })
  for (const connection of [output, pipe]) connection.destroy()
  if (child.pid !== undefined) running.add(child)
  const end = (how: How | null): void => {
    running.delete(child)
    tell({ type: 'ended', id, how })
  }
  child.once('error', () => end(null))
  child.once('exit', (code, signal) => end({ code, signal }))
  if (child.pid !== undefined) tell({ type: 'started', id, pid: child.pid })
  if (tellsPid) readPid(child.stdio[4] as Readable, (pid) => tell({ type: 'inner', id, pid }))
}

/** It is read to its end: who writes there would not survive a reader that has left. */
function readPid(from: Readable, found: (pid: number) => void): void {
  let told = ''
  from.on('error', () => {}).on('data', (chunk: Buffer) => {
    const before = childPid(told)
    told = (told + chunk.toString()).slice(0, 1000)
    const pid = childPid(told)
    if (pid && !before) found(pid)
  })
}

const childPid = (told: string): number => Number(/"child-pid":\s*(\d+)\D/.exec(told)?.[1] ?? 0)

function tell(news: News): void {
  // A grader that is gone cannot be told, which must not end the launcher before it has ended the rest.
  if (process.connected) process.send!(news, undefined, undefined, () => {})
}

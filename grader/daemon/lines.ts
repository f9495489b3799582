import type { Socket } from 'node:net'

/** Calls back with each line of JSON that arrives. A line that is none ends the connection. */
export function onMessage<Message>(socket: Socket, handle: (message: Message) => void): void {
  let rest = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      let message: Message
      try {
        message = JSON.parse(line) as Message
      } catch {
        socket.destroy()
        return
      }
      handle(message)
    }
  })
}

export function send(socket: Socket, message: object): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`)
}

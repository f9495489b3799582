import { connect, type Socket } from 'node:net'

export type Address = { path: string } | { host: string; port: number }
export type Credentials = { username: string | null; password: string | null }
export type Reply = string | number | null | Error | Reply[]

/** A connection to Redis for the few commands that services need: small enough to start a daemon in no time. */
export interface Line {
  /** Sends a command and resolves to its reply; an error reply rejects, as does a connection that ends first. */
  ask(...command: (string | number)[]): Promise<Reply>
  close(): void
  /** From now on only a reply that is awaited keeps the process alive, not the open connection. */
  unref(): void
}

/** Connects and logs in. Rejects when that takes longer than `timeoutMs`, which also bounds each later reply. */
export async function openLine(address: Address, login: Credentials, timeoutMs = 2000): Promise<Line> {
  const socket = connect(address)
  const waiting: { resolve(reply: Reply): void; reject(error: Error): void }[] = []
  let received: Buffer = Buffer.alloc(0)
  let ended: Error | null = null
  let isBackground = false
  const rest = () => {
    if (isBackground && waiting.length === 0) socket.unref()
  }
  const end = (error: Error) => {
    ended ??= error
    socket.destroy()
    for (const { reject } of waiting.splice(0)) reject(ended)
  }
  socket.setTimeout(timeoutMs, () => {
    if (waiting.length > 0) end(new Error(`Redis did not answer within ${timeoutMs} ms`))
  })
  socket.on('error', end)
  socket.on('close', () => end(new Error('Redis closed the connection')))
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    for (let parsed = parse(received, 0); parsed; parsed = parse(received, 0)) {
      received = received.subarray(parsed.end)
      const { reply } = parsed
      const { resolve, reject } = waiting.shift()!
      if (reply instanceof Error) reject(reply)
      else resolve(reply)
    }
    rest()
  })
  const line: Line = {
    ask: (...command) => new Promise((resolve, reject) => {
      if (ended) return reject(ended)
      waiting.push({ resolve, reject })
      socket.ref()
      socket.write(frame(command))
    }),
    close: () => end(new Error('closed')),
    unref: () => {
      isBackground = true
      rest()
    },
  }
  await connected(socket, timeoutMs)
  if (login.password !== null) await line.ask('AUTH', ...(login.username ? [login.username] : []), login.password)
  return line
}

function connected(socket: Socket, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs)
    socket.once('connect', resolve).once('error', reject).once('close', () => reject(new Error('closed')))
    socket.once('connect', () => clearTimeout(late)).once('close', () => clearTimeout(late))
  })
}

function frame(command: readonly (string | number)[]): string {
  const parts = command.map(String).map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`)
  return `*${parts.length}\r\n${parts.join('')}`
}

/** One RESP2 reply starting at `from`, or null while it is incomplete. */
function parse(bytes: Buffer, from: number): { reply: Reply; end: number } | null {
  const eol = bytes.indexOf('\r\n', from)
  if (eol < 0) return null
  const text = bytes.toString('utf8', from + 1, eol)
  const end = eol + 2
  switch (String.fromCharCode(bytes[from])) {
    case '+': return { reply: text, end }
    case '-': return { reply: new Error(text), end }
    case ':': return { reply: Number(text), end }
    case '$': {
      const length = Number(text)
      if (length < 0) return { reply: null, end }
      if (bytes.length < end + length + 2) return null
      return { reply: bytes.toString('utf8', end, end + length), end: end + length + 2 }
    }
    default: return parseArray(bytes, end, Number(text))
  }
}

function parseArray(bytes: Buffer, from: number, length: number): { reply: Reply; end: number } | null {
  if (length < 0) return { reply: null, end: from }
  const reply: Reply[] = []
  let end = from
  while (reply.length < length) {
    const item = parse(bytes, end)
    if (!item) return null
    reply.push(item.reply)
    end = item.end
  }
  return { reply, end }
}

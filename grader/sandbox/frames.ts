import type { Duplex } from 'node:stream'
import { writeTogether } from '../write-together.ts'

// Learner code shares its process with one side, and may replace what is global there.
const { parse: fromJson, stringify: toJson } = JSON

/** The largest frame either side accepts, in bytes. */
export const MAX_FRAME = 8 << 20

/**
 * Length-prefixed JSON over a pipe: 4 bytes little-endian, then that many bytes of UTF-8.
 * Garbage never throws: it ends the pipe and is told once through `garbage`. That the other side is gone is told elsewhere.
 */
export function framed(
  pipe: Duplex,
  on: { message(message: unknown): void; garbage(reason: string): void },
): (message: unknown) => void {
  let chunks: Buffer[] = []
  let held = 0
  let broken = false
  const refuse = (reason: string): void => {
    if (broken) return
    broken = true
    pipe.destroy()
    on.garbage(reason)
  }
  pipe.on('error', () => pipe.destroy())
  pipe.on('data', (chunk: Buffer) => {
    if (broken) return
    chunks.push(chunk)
    held += chunk.length
    for (;;) {
      if (held < 4) return
      let head = chunks[0]!
      if (head.length < 4) head = (chunks = [Buffer.concat(chunks)])[0]!
      const size = head.readUInt32LE(0)
      if (size > MAX_FRAME) return refuse(`a frame of ${size} bytes`)
      if (held < 4 + size) return
      const all = chunks.length === 1 ? head : Buffer.concat(chunks)
      const rest = all.subarray(4 + size)
      chunks = rest.length > 0 ? [rest] : []
      held = rest.length
      const message = parse(all.subarray(4, 4 + size))
      if (message === undefined) return refuse('a frame that is not JSON')
      on.message(message)
    }
  })
  return (message) => {
    if (broken || pipe.destroyed) return
    const body = Buffer.from(toJson(message))
    if (body.length > MAX_FRAME) throw new RangeError(`a message of ${body.length} bytes is too large for the pipe`)
    const frame = Buffer.allocUnsafe(4 + body.length)
    frame.writeUInt32LE(body.length, 0)
    body.copy(frame, 4)
    writeTogether(pipe, frame)
  }
}

function parse(body: Buffer): unknown {
  try {
    return fromJson(body.toString('utf8'))
  } catch {
    return undefined
  }
}

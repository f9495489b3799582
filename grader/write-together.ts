import type { Writable } from 'node:stream'

/**
 * Writes what one turn of the event loop has for `stream` in one go, at the end of that turn: waking whoever reads costs
 * more than the bytes do. `stream.uncork()` sends it at once, as must be done before the stream is destroyed.
 */
export function writeTogether(stream: Writable, bytes: Uint8Array): void {
  if (stream.writableCorked === 0) {
    stream.cork()
    process.nextTick(() => stream.uncork())
  }
  stream.write(bytes)
}

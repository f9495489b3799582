/**
 * The Redis protocol as far as a wire needs it: where one frame ends and what it says.
 * Requests are arrays of bulk strings; replies are RESP2 or RESP3 (https://redis.io/docs/latest/develop/reference/protocol-spec/).
 */

/** A parsed reply: enough to show it and to tell an error from a value. */
export type Reply =
  | { readonly type: 'simple' | 'bulk' | 'error' | 'number'; readonly text: string }
  | { readonly type: 'null' }
  | { readonly type: 'list' | 'map' | 'push'; readonly items: readonly Reply[] }

export interface Framed<T> {
  readonly value: T
  /** The bytes exactly as they came. */
  readonly raw: Buffer
}

/** Thrown for bytes that are not the protocol; the connection that sent them is of no more use. */
export class ProtocolError extends Error {}

/** Splits a stream into frames: feed it chunks, take out what is complete. */
export function frameReader<T>(parse: (bytes: Buffer, at: number) => { value: T; end: number } | null): (chunk: Buffer) => Framed<T>[] {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const frames: Framed<T>[] = []
    let at = 0
    while (at < rest.length) {
      const found = parse(rest, at)
      if (found === null) break
      frames.push({ value: found.value, raw: rest.subarray(at, found.end) })
      at = found.end
    }
    rest = rest.subarray(at)
    return frames
  }
}

/** One request: its words as buffers, or null while it is incomplete. */
export function parseRequest(bytes: Buffer, at: number): { value: Buffer[]; end: number } | null {
  if (bytes[at] !== STAR) throw new ProtocolError('a request that is not an array')
  const head = lineAt(bytes, at + 1)
  if (head === null) return null
  const count = integer(head.text)
  if (count < 1 || count > 1_048_576) throw new ProtocolError(`a request of ${head.text} words`)
  const words: Buffer[] = []
  let next = head.end
  for (let i = 0; i < count; i++) {
    if (next >= bytes.length) return null
    if (bytes[next] !== DOLLAR) throw new ProtocolError('a request word that is not a bulk string')
    const size = lineAt(bytes, next + 1)
    if (size === null) return null
    const length = integer(size.text)
    if (length < 0 || length > 512 << 20) throw new ProtocolError(`a request word of ${size.text} bytes`)
    if (bytes.length < size.end + length + 2) return null
    words.push(bytes.subarray(size.end, size.end + length))
    next = size.end + length + 2
  }
  return { value: words, end: next }
}

/** One reply, or null while it is incomplete. */
export function parseReply(bytes: Buffer, at: number, depth = 0): { value: Reply; end: number } | null {
  if (depth > 128) throw new ProtocolError('a reply nested too deep')
  const head = lineAt(bytes, at + 1)
  if (head === null) return null
  const kind = String.fromCharCode(bytes[at]!)
  switch (kind) {
    case '+': return { value: { type: 'simple', text: head.text }, end: head.end }
    case '-': return { value: { type: 'error', text: head.text }, end: head.end }
    case ':': case ',': case '(': case '#': return { value: { type: 'number', text: head.text }, end: head.end }
    case '_': return { value: { type: 'null' }, end: head.end }
    case '$': case '!': case '=': {
      const length = integer(head.text)
      if (length < 0) return { value: { type: 'null' }, end: head.end }
      if (bytes.length < head.end + length + 2) return null
      const text = bytes.toString('utf8', head.end, head.end + Math.min(length, 256))
      return { value: { type: kind === '!' ? 'error' : 'bulk', text }, end: head.end + length + 2 }
    }
    case '*': case '~': case '>': return items(bytes, head.end, integer(head.text), kind === '>' ? 'push' : 'list', depth)
    case '%': return items(bytes, head.end, 2 * integer(head.text), 'map', depth)
    case '|': {
      const attributes = items(bytes, head.end, 2 * integer(head.text), 'map', depth)
      return attributes && parseReply(bytes, attributes.end, depth + 1)
    }
    default: throw new ProtocolError(`a reply that starts with ${JSON.stringify(kind)}`)
  }
}

function items(bytes: Buffer, at: number, count: number, type: 'list' | 'map' | 'push', depth: number): { value: Reply; end: number } | null {
  if (count < 0) return { value: { type: 'null' }, end: at }
  const found: Reply[] = []
  let next = at
  for (let i = 0; i < count; i++) {
    if (next >= bytes.length) return null
    const item = parseReply(bytes, next, depth + 1)
    if (item === null) return null
    found.push(item.value)
    next = item.end
  }
  return { value: { type, items: found }, end: next }
}

/** A reply in one short readable line: `3`, `"ann"`, `nil`, `[1, "x"]`, `ERR wrong type`; `… +3` stands for three more. */
export function showReply(reply: Reply): string {
  switch (reply.type) {
    case 'null': return 'nil'
    case 'bulk': return JSON.stringify(reply.text)
    case 'simple': case 'number': case 'error': return reply.text
    default: {
      const shown = reply.items.slice(0, 6).map(showReply)
      return `[${shown.join(', ')}${reply.items.length > 6 ? `, … +${reply.items.length - 6}` : ''}]`
    }
  }
}

/** The same in the words of one request: long and binary words are shortened. */
export function showCommand(words: readonly Buffer[]): string {
  return words.slice(0, 12).map((word, i) => showWord(word, i === 0)).join(' ') + (words.length > 12 ? ` … +${words.length - 12}` : '')
}

function showWord(word: Buffer, first: boolean): string {
  const text = word.toString('utf8', 0, 200)
  if (first) return text.toUpperCase()
  const plain = /^[\x21-\x7e\u00a0-\uffff]+$/u.test(text) ? text : JSON.stringify(text.replace(/\s+/g, ' '))
  return word.length > 40 ? `${plain.slice(0, 36)}…` : plain
}

const STAR = 42
const DOLLAR = 36

function lineAt(bytes: Buffer, at: number): { text: string; end: number } | null {
  const end = bytes.indexOf(13, at)
  if (end < 0 || end + 1 >= bytes.length) {
    if (bytes.length - at > 65_536 && end < 0) throw new ProtocolError('a line without an end')
    return null
  }
  if (bytes[end + 1] !== 10) throw new ProtocolError('a line that does not end in CRLF')
  return { text: bytes.toString('latin1', at, end), end: end + 2 }
}

function integer(text: string): number {
  if (!/^-?\d{1,10}$/.test(text)) throw new ProtocolError(`a length that is no number: ${JSON.stringify(text.slice(0, 20))}`)
  return Number(text)
}

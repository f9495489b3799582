import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openRelay, type Link } from './relay.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'relay-')) })
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Resolves to the first argument of the event. */
const event = <T>(emitter: NodeJS.EventEmitter, name: string): Promise<T> => new Promise((resolve) => emitter.once(name, resolve))

test('when it has closed the server knows, also where another process has the connection open', async () => {
  const place = join(folder, 'server.sock')
  const server = net.createServer().listen(place)
  await event(server, 'listening')
  let link: Link | undefined
  const relay = await openRelay(join(folder, 'relay.sock'), { path: place }, (made) => { link = made })
  const accepted = event<net.Socket>(server, 'connection')
  const client = net.connect(relay.socket).on('error', () => {})
  const atServer = await accepted
  let over = false
  atServer.resume().once('end', () => { over = true })
  // As a process that is just being forked does.
  const other = spawn('sleep', ['60'], { stdio: [link!.target, 'pipe', 'inherit'] })
  await event(other, 'spawn')
  await relay.close()
  await vi.waitFor(() => expect(over).toBe(true), 5000)
  expect(other.exitCode).toBe(null)
  other.kill('SIGKILL')
  await event(other, 'exit')
  client.destroy()
  atServer.destroy()
  server.close()
})

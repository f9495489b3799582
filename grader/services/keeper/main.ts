/**
 * The keeper: a small daemon, one per user and copy of the kit, that starts Redis and Kafka when a command asks for
 * them, leases them out and keeps them warm. It ends by itself when nobody has asked for anything for ten minutes.
 */
import { readdirSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { placeOf } from '#daemon/daemon.ts'
import { fingerprint, runtimeDir, servicesDirs } from '#services/place.ts'
import { endChildren } from './child.ts'
import { onMessage, send } from '#daemon/lines.ts'
import { holdLock } from '#daemon/lock.ts'
import { adopt, type Answer, type KeeperStatus, type Request } from './protocol.ts'
import { endOrphans } from './registry.ts'
import type { Progress } from './server.ts'
import { firstThatWorks, kafkaSources, NoWay, redisSources, stopAll, type KeptKind } from './sources.ts'

const dir = runtimeDir()
const { socket: address } = placeOf('keeper', dir)
const idleMs = Number(process.env.KIT_IDLE_MS ?? 600_000)
const ownFingerprint = fingerprint()
const leases = new Set<Socket>()
let isRetiring = false
let idleSince = performance.now()
let idleTimer: NodeJS.Timeout | undefined

// Of two keepers started at once the second finds the lock taken, and its client finds the first.
if (!holdLock(join(dir, 'keeper.lock'))) process.exit(0)
const orphans = endOrphans()
removeLeftovers()
const server = createServer(serve).listen(address)
waitForWork()
process.title = 'redis-kafka-kit keeper'
// At the very end: a lease given back while it shuts down may still start the next server.
process.on('exit', endChildren)
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => void shutDown())
// A client library that fails in the background must not take everybody's servers with it.
process.on('unhandledRejection', (reason) => console.error(reason))
if (orphans.length > 0) {
  const { removeContainers } = await import('#services/containers/engine.ts')
  await removeContainers(orphans)
}

function serve(socket: Socket): void {
  const gone = new AbortController()
  socket.on('error', () => {}).on('close', () => gone.abort(new Error('the client has gone')))
  onMessage<Request>(socket, (request) => {
    switch (request.op) {
      case 'acquire': return void acquire(socket, request, gone.signal)
      case 'status': return reply(socket, { type: 'status', status: status() })
      case 'down': return void shutDown().then(() => reply(socket, { type: 'stopped' }))
    }
  })
}

async function acquire(
  socket: Socket,
  request: Extract<Request, { op: 'acquire' }>,
  gone: AbortSignal,
): Promise<void> {
  if (request.fingerprint !== ownFingerprint) isRetiring = true
  if (isRetiring && leases.size === 0) {
    await shutDown()
    reply(socket, { type: 'retired' })
    return
  }
  leases.add(socket)
  clearTimeout(idleTimer)
  adopt(request.environment)
  const onProgress: Progress = (message) => reply(socket, { type: 'progress', message })
  const giveBacks: (() => Promise<void>)[] = []
  const { redis, kafka } = request
  const leaseRedis = async (kind: KeptKind) => {
    const servers = await redisSources[kind].lease(redis.count, onProgress, gone)
    giveBacks.push(() => redisSources[kind].giveBack(servers))
    return servers.map(({ endpoint }) => endpoint)
  }
  const leaseKafka = async (kind: KeptKind) => {
    const { endpoint } = await kafkaSources[kind].lease(onProgress)
    giveBacks.push(() => kafkaSources[kind].giveBack())
    return endpoint
  }

  const [gotRedis, gotKafka] = await Promise.allSettled([
    redis.count > 0 ? firstThatWorks('redis', redis.kinds, leaseRedis, gone) : [],
    kafka.kinds.length > 0 ? firstThatWorks('kafka', kafka.kinds, leaseKafka, gone) : null,
  ])
  const failures = [gotRedis, gotKafka].flatMap((result) => result.status === 'rejected' ? [result.reason] : [])
  if (gotRedis.status === 'fulfilled' && gotKafka.status === 'fulfilled') {
    reply(socket, { type: 'leased', redis: gotRedis.value, kafka: gotKafka.value })
    if (!gone.aborted) await new Promise((resolve) => gone.addEventListener('abort', resolve, { once: true }))
  } else if (!gone.aborted) {
    const attempts = failures.flatMap((failure) => failure instanceof NoWay ? failure.attempts : [])
    reply(socket, { type: 'unavailable', attempts })
    socket.end()
  }
  await Promise.allSettled(giveBacks.map((giveBack) => giveBack()))
  leases.delete(socket)
  waitForWork()
}

/** Runs after every lease, also one that could not be had. */
function waitForWork(): void {
  if (leases.size > 0) return
  if (isRetiring) return void shutDown()
  idleSince = performance.now()
  clearTimeout(idleTimer)
  idleTimer = setTimeout(shutDown, idleMs)
}

function status(): KeeperStatus {
  const list = (sources: typeof redisSources | typeof kafkaSources) => Object.values(sources)
    .flatMap((source) => source.running())
    .map(({ server: { endpoint }, leased }) => ({
      version: endpoint.version,
      from: endpoint.from,
      address: 'brokers' in endpoint ? endpoint.brokers.join(',') : Object.values(endpoint.address).join(':'),
      leased,
    }))
  return {
    pid: process.pid,
    stopsInMs: leases.size > 0 ? null : Math.max(0, Math.round(idleMs - (performance.now() - idleSince))),
    redis: list(redisSources),
    kafka: list(kafkaSources),
  }
}

/** Ends everything it started. The lock goes with the process, so a new keeper never meets the old one's servers. */
async function shutDown(): Promise<void> {
  server.close()
  rmSync(address, { force: true })
  await stopAll()
  removeLeftovers()
  // After the reply to whoever asked for it.
  setImmediate(() => process.exit(0))
}

/** Sockets, logs and data of servers that no longer run. */
function removeLeftovers(): void {
  for (const place of servicesDirs()) {
    for (const name of readdirSync(place)) {
      if (!/^(redis-|kafka-|keeper\.sock|state\.json)/.test(name)) continue
      rmSync(join(place, name), { recursive: true, force: true })
    }
  }
}

function reply(socket: Socket, answer: Answer): void {
  send(socket, answer)
}

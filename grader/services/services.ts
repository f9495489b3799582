import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Text } from '#catalog/text.ts'
import { acquireExternal, type External } from './external/external.ts'
import { call, callRunning } from './keeper/call.ts'
import { environment, type Answer, type KeeperStatus, type Request } from './keeper/protocol.ts'
import { hasOrphans } from './keeper/registry.ts'
import { fingerprint } from './place.ts'
import { attempt, ServicesUnavailable, unavailable, type Attempt, type Service } from './unavailable.ts'

export { ServicesUnavailable }

export type ServiceKind = 'external' | 'containers' | 'processes'

export const serviceKinds: readonly ServiceKind[] = ['external', 'containers', 'processes']

/** A Redis server, or one database of it, that nobody else uses while the lease lasts. */
export interface RedisEndpoint {
  readonly version: string
  readonly from: ServiceKind
  readonly address: { readonly path: string } | { readonly host: string; readonly port: number }
  /** Empty when leased. Flush this one only: on a server of the user's own the others hold the user's data. */
  readonly database: number
  /** For the grader. */
  readonly admin: Login
  /**
   * What the proxies log in as on behalf of a learner's code; it may not SELECT, so log in as admin, SELECT, then AUTH
   * as learner. The admin's own login where the server refuses ACL SETUSER.
   */
  readonly learner: Login
}

export interface Login {
  readonly username: string | null
  readonly password: string | null
}

/** A broker that all leases share: keep apart by the names of topics, groups and transactional ids. */
export interface KafkaEndpoint {
  readonly version: string
  readonly from: ServiceKind
  readonly brokers: string[]
}

export interface Lease {
  readonly redis: RedisEndpoint[]
  readonly kafka: KafkaEndpoint | null
  /** Gives everything back; also happens when this process ends. What was written is gone before the next lease. */
  release(): Promise<void>
}

export interface Need {
  /** How many Redis endpoints would be of use; between one and that many are given. 0 for none. */
  readonly redis: number
  readonly kafka: boolean
}

export interface AcquireOptions {
  /** Only this kind; KIT_SERVICES when absent; the first that works when that is absent too. */
  readonly kind?: ServiceKind
  /** Hears of everything that takes more than a second. */
  readonly onProgress?: (message: Text) => void
}

/**
 * Leases what is needed and starts nothing else. Waits while others hold all there is.
 * Throws ServicesUnavailable.
 */
export async function acquire(need: Need, { kind, onProgress = () => {} }: AcquireOptions = {}): Promise<Lease> {
  const kinds = kindsToTry(kind ?? fromEnvironment())
  const attempts: Attempt[] = []
  const external = await acquireExternal(need, kinds, attempts)
  for (const { reason } of attempts) onProgress(reason)
  const rest = {
    redis: need.redis > 0 && external.redis === null ? need.redis : 0,
    kafka: need.kafka && external.kafka === null,
  }
  if (rest.redis === 0 && !rest.kafka) return lease(external, null, null)
  try {
    const kept = kinds.filter((candidate) => candidate !== 'external')
    if (kept.length === 0) throw unavailable(attempts)
    const { answer, socket } = await call(requestFor(rest, kept), onProgress)
    if (answer.type === 'leased') {
      // Only the command's own work keeps it alive, not a lease it forgot.
      socket.unref()
      return lease(external, answer, socket)
    }
    throw unavailable([...attempts, ...(answer.type === 'unavailable' ? answer.attempts : [])])
  } catch (error) {
    await external.release()
    if (error instanceof ServicesUnavailable) throw error
    const services: Service[] = rest.redis > 0 ? ['redis'] : ['kafka']
    throw unavailable([...attempts, ...services.map((service) => attempt(service, kinds.at(-1)!, error))])
  }
}

function kindsToTry(forced: ServiceKind | undefined): readonly ServiceKind[] {
  return forced ? [forced] : serviceKinds
}

function fromEnvironment(): ServiceKind | undefined {
  const name = process.env.KIT_SERVICES
  if (!name) return undefined
  const kind = serviceKinds.find((candidate) => candidate === name)
  if (kind) return kind
  const list = serviceKinds.join(', ')
  throw new ServicesUnavailable({
    en: `KIT_SERVICES is "${name}", which is none of ${list}.\nNext: unset KIT_SERVICES`,
    vi: `KIT_SERVICES là "${name}", không thuộc ${list}.\nBước tiếp theo: unset KIT_SERVICES`,
  })
}

function requestFor(need: Need, kinds: readonly ServiceKind[]): Request {
  return {
    op: 'acquire',
    redis: { count: need.redis, kinds: [...kinds] },
    kafka: { kinds: need.kafka ? [...kinds] : [] },
    environment: environment(),
    fingerprint: fingerprint(),
  }
}

function lease(external: External, kept: Extract<Answer, { type: 'leased' }> | null, socket: Socket | null): Lease {
  return {
    redis: external.redis ? [external.redis] : kept?.redis ?? [],
    kafka: external.kafka ?? kept?.kafka ?? null,
    async release() {
      if (socket && !socket.destroyed) {
        const closed = once(socket, 'close')
        socket.ref().end()
        await closed
      }
      await external.release()
    },
  }
}

export interface Status {
  /** The daemon that keeps services warm; null when it does not run. */
  readonly keeper: KeeperStatus | null
}

/** What runs at the moment; starts nothing. */
export async function status(): Promise<Status> {
  const called = await callRunning({ op: 'status' })
  called?.socket.destroy()
  return { keeper: called?.answer.type === 'status' ? called.answer.status : null }
}

/** Ends everything the kit has started, leased or not; also what a killed keeper left behind. */
export async function down(): Promise<void> {
  if (await callRunning({ op: 'down' }) === null && hasOrphans()) await call({ op: 'down' }, () => {})
}

import type { Text } from '#catalog/text.ts'
import type { KafkaEndpoint, RedisEndpoint, ServiceKind } from '#services/services.ts'
import type { Attempt } from '#services/unavailable.ts'

/** What a command asks of the keeper: one request per connection, each message one line of JSON. */
export type Request =
  | {
    op: 'acquire'
    /** How many Redis endpoints, 0 for none, and the ways to try in order. */
    redis: { count: number; kinds: ServiceKind[] }
    /** The ways to try in order; none when no Kafka is needed. */
    kafka: { kinds: ServiceKind[] }
    environment: Record<string, string>
    fingerprint: string
  }
  | { op: 'status' }
  | { op: 'down' }

/** The lease lasts as long as the connection. */
export type Answer =
  | { type: 'progress'; message: Text }
  | { type: 'leased'; redis: RedisEndpoint[]; kafka: KafkaEndpoint | null }
  | { type: 'unavailable'; attempts: Attempt[] }
  /** This keeper runs older code than the command and has ended: start another one. */
  | { type: 'retired' }
  /** Everything has ended, the keeper included. */
  | { type: 'stopped' }
  | { type: 'status'; status: KeeperStatus }

export interface KeeperStatus {
  readonly pid: number
  /** Milliseconds until it stops by itself; null while something is leased. */
  readonly stopsInMs: number | null
  readonly redis: RunningService[]
  readonly kafka: RunningService[]
}

export interface RunningService {
  readonly version: string
  readonly from: ServiceKind
  readonly address: string
  readonly leased: boolean
}

const relevant = /^(PATH|HOME|JAVA_HOME|XDG_CACHE_HOME|(DOCKER|TESTCONTAINERS|MAVEN)_.*|KIT_.*_IMAGE|.*_proxy)$/i

/** The variables that decide how servers are found and started: a keeper goes by those of its latest client. */
export function environment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env)
    .filter((entry): entry is [string, string] => relevant.test(entry[0]) && entry[1] !== undefined))
}

export function adopt(variables: Record<string, string>): void {
  for (const name of Object.keys(environment())) {
    if (!(name in variables)) delete process.env[name]
  }
  Object.assign(process.env, variables)
}

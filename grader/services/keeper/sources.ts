import type { ServiceKind } from '#services/services.ts'
import { attempt, type Attempt, type Service } from '#services/unavailable.ts'
import { lanes } from './lanes.ts'
import { shared } from './shared.ts'

export type KeptKind = Exclude<ServiceKind, 'external'>

/** Enough for a class on a large machine; more clients wait for their turn. */
const mostRedisProcesses = 16
/** A slow failure, such as an image that cannot be pulled, is not paid for again and again. */
const slowMs = 300
const forgetFailureAfterMs = 600_000

/** Each kind's code is loaded when it is first needed: the daemon starts in no time. */
export const redisSources = {
  processes: lanes(async (onProgress) =>
    (await import('#services/redis/process.ts')).startRedisProcess(onProgress), mostRedisProcesses),
  containers: lanes(async (onProgress) =>
    (await import('#services/containers/redis.ts')).startRedisContainer(onProgress), 1),
}

export const kafkaSources = {
  processes: shared(async (onProgress) =>
    (await import('#services/kafka/process.ts')).startKafkaProcess(onProgress)),
  containers: shared(async (onProgress) =>
    (await import('#services/containers/kafka.ts')).startKafkaContainer(onProgress)),
}

/** Every way failed. */
export class NoWay extends Error {
  readonly attempts: Attempt[]

  constructor(attempts: Attempt[]) {
    super(attempts.map(({ reason }) => reason.en).join('; '))
    this.attempts = attempts
  }
}

/** The first of `kinds` that works. A way that lately failed is not tried again while there are others. */
export async function firstThatWorks<T>(
  service: Service,
  kinds: readonly ServiceKind[],
  lease: (kind: KeptKind) => Promise<T>,
  gone: AbortSignal,
): Promise<T> {
  const attempts: Attempt[] = []
  for (const kind of kinds as KeptKind[]) {
    const failure = failures.get(service + kind)
    if (failure && kinds.length > 1 && performance.now() - failure.at < forgetFailureAfterMs) {
      attempts.push(failure.attempt)
      continue
    }
    const started = performance.now()
    try {
      return await lease(kind)
    } catch (error) {
      gone.throwIfAborted()
      const failed = attempt(service, kind, error)
      attempts.push(failed)
      const now = performance.now()
      if (now - started > slowMs) failures.set(service + kind, { attempt: failed, at: now })
    }
  }
  throw new NoWay(attempts)
}

const failures = new Map<string, { attempt: Attempt; at: number }>()

export async function stopAll(): Promise<void> {
  const sources = [...Object.values(redisSources), ...Object.values(kafkaSources)]
  await Promise.allSettled(sources.map((source) => source.stop()))
}


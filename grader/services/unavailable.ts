import type { Text } from '#catalog/text.ts'
import type { ServiceKind } from './services.ts'

/** Redis or Kafka could not be had in any way: nothing is graded, exit code 3. */
export class ServicesUnavailable extends Error {
  readonly text: Text

  /** @param text what was tried, why each way failed, and the one next command */
  constructor(text: Text) {
    super(text.en)
    this.name = 'ServicesUnavailable'
    this.text = text
  }
}

/** Why one way to a service is closed. `text` is a clause without a full stop; `next` one command that opens it. */
export class Obstacle extends Error {
  readonly text: Text
  readonly next: string

  constructor(text: Text, next: string) {
    super(text.en)
    this.name = 'Obstacle'
    this.text = text
    this.next = next
  }
}

export type Service = 'redis' | 'kafka'

/** One way that was tried and why it failed. Plain data: it crosses the keeper's socket. */
export interface Attempt {
  readonly service: Service
  readonly kind: ServiceKind
  readonly reason: Text
  readonly next: string
}

/** Any error as the reason why `kind` failed: what nobody foresaw is told in its own words. */
export function attempt(service: Service, kind: ServiceKind, error: unknown): Attempt {
  if (error instanceof Obstacle) return { service, kind, reason: error.text, next: error.next }
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0]
  return { service, kind, reason: { en: message, vi: message }, next: 'npm run services status' }
}

/** The last way tried is the one that needs least from the machine, so its command is the one to type next. */
export function unavailable(attempts: readonly Attempt[]): ServicesUnavailable {
  const names = [...new Set(attempts.map(({ service }) => display[service]))]
  const lines = (lang: keyof Text) => attempts.map(({ service, kind, reason }) =>
    `  ${names.length > 1 ? `${display[service]}, ` : ''}${ways[kind][lang]}: ${reason[lang]}`).join('\n')
  const next = attempts.at(-1)?.next ?? 'npm run services status'
  return new ServicesUnavailable({
    en: `${names.join(' and ')} could not be had, so nothing can be graded.\n${lines('en')}\nNext: ${next}`,
    vi: `Không có ${names.join(' và ')} để dùng nên chưa thể chấm bài.\n${lines('vi')}\nBước tiếp theo: ${next}`,
  })
}

const display = { redis: 'Redis', kafka: 'Kafka' } as const

const ways: Record<ServiceKind, Text> = {
  external: { en: 'yours', vi: 'dịch vụ của bạn' },
  containers: { en: 'containers', vi: 'container' },
  processes: { en: 'processes', vi: 'tiến trình trên máy' },
}

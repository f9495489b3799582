import { wrap, type Screen } from './layout.ts'
import type { Report } from './schema.ts'
import { words } from './words.ts'

/** What it ran on, where anything ran: the services, where they came from, and how the code was isolated. */
export function drawFooter({ services, isolation }: Report, { lang, width, colors }: Screen): string {
  const used = [
    services.redis && `Redis ${services.redis.version} (${services.redis.from})`,
    services.kafka && `Kafka ${services.kafka.version} (${services.kafka.from})`,
  ].filter(Boolean)
  if (used.length === 0) return ''
  const ran = wrap([...used, words.isolatedBy(isolation)[lang]].join(' · '), width, '  ').map(colors.dim)
  const warning = isolation === 'permissions' ? wrap(words.permissions[lang], width, '  ').map(colors.yellow) : []
  return [...ran, ...warning, ''].join('\n')
}

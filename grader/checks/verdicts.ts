import type { Evidence } from '#scoring/outcome.ts'
import type { Text } from '#catalog/text.ts'

/** A promise of the contract was broken: the only thing that costs points. */
export class CheckFailed extends Error {
  readonly text: Text
  readonly evidence: Partial<Evidence>
  constructor(text: Text, evidence: Partial<Evidence> = {}) {
    super(text.en)
    this.name = 'CheckFailed'
    this.text = text
    this.evidence = evidence
  }
}

/** What a check waited for never came. */
export class WaitedInVain extends CheckFailed {}

/** The kit could not find out: the machine is too slow, the grader is wrong. Costs nobody a point. */
export class Inconclusive extends Error {
  readonly text: Text
  constructor(text: Text, options?: ErrorOptions) {
    super(text.en, options)
    this.name = 'Inconclusive'
    this.text = text
  }
}

/** A service stopped answering under the check. */
export class ServiceGone extends Inconclusive {}

/** The check cannot apply to this way of keeping the contract: its weight is shared out among the others. */
export class NotApplicable extends Error {
  readonly text: Text
  constructor(text: Text) {
    super(text.en)
    this.name = 'NotApplicable'
    this.text = text
  }
}

/** `{ en, vi }` in one word, for sentences with values in them. */
export const both = (en: string, vi: string): Text => ({ en, vi })

/** A value as a learner would write it, in one short line. */
export function shown(value: unknown): string {
  const text = showDeep(value, 0)
  return text.length > 160 ? `${text.slice(0, 157).replace(/[\uD800-\uDBFF]$/, '')}…` : text
}

function showDeep(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  // Its source would be the grader's, where the function lives in the learner's process.
  if (typeof value === 'function') return '[Function]'
  if (value instanceof Error) return value.message
  if (value === null || typeof value !== 'object') return Object.is(value, -0) ? '-0' : String(value)
  if (depth > 4) return '…'
  if ('className' in value) return `[${String(value.className)}]`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (Buffer.isBuffer(value)) return `Buffer(${value.length})`
  if (value instanceof Map) return `Map(${showDeep([...value], depth + 1)})`
  if (value instanceof Set) return `Set(${showDeep([...value], depth + 1)})`
  if (Array.isArray(value)) {
    const items = value.slice(0, 12).map((item) => showDeep(item, depth + 1))
    return `[${items.join(', ')}${value.length > 12 ? `, … (${value.length})` : ''}]`
  }
  const entries = Object.entries(value).slice(0, 12).map(([key, x]) => `${key}: ${showDeep(x, depth + 1)}`)
  return `{ ${entries.join(', ')} }`
}

/**
 * What a learner's code may do on a server of its own: everything on its data, with scripts, blocking commands and
 * Pub/Sub; nothing that reaches other databases, other connections or the server itself.
 */
export const learnerRules = [
  '~*', '&*', '+@all', '-@admin', '-@dangerous',
  // Dangerous in production, harmless on an own database; INFO and ROLE are asked by clients as they connect.
  '+keys', '+flushdb', '+sort', '+sort_ro', '+info', '+role',
  '-select', '-swapdb', '-move', '-script|kill', '-script|debug', '-function', '-client|unblock',
] as const

/** A server of our own: in memory, small, and quick to say that a script runs too long. */
export const serverSettings = [
  'save ""',
  'appendonly no',
  'maxmemory 256mb',
  'maxmemory-policy noeviction',
  'lua-time-limit 500',
] as const

/** The configuration given to a server before it starts, passwords included, so that none is in its arguments. */
export function configuration(listen: readonly string[], passwords: { admin: string; learner: string }): string {
  return [
    ...listen,
    ...serverSettings,
    `requirepass ${passwords.admin}`,
    `user learner on >${passwords.learner} ${learnerRules.join(' ')}`,
    '',
  ].join('\n')
}

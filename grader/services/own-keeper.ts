/** For tests: services of their own, in a folder of their own, that never touch the ones of the person who tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { endResident } from '#resident/call.ts'
import { down } from '#services/services.ts'

export function withOwnKeeper(variables: Record<string, string> = {}): void {
  const before = { ...process.env }
  beforeAll(() => {
    for (const name of ['REDIS_URL', 'KAFKA_BROKERS', 'KIT_SERVICES']) delete process.env[name]
    Object.assign(process.env, { KIT_RUNTIME_DIR: mkdtempSync(join(tmpdir(), 'kit-')), ...variables })
  })
  afterAll(async () => {
    await endResident()
    await down()
    // A daemon that is just ending may still write a last line.
    rmSync(process.env.KIT_RUNTIME_DIR!, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
    process.env = before
  })
}

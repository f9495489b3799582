import { hostPool, type HostPool } from '#sandbox/pool.ts'
import type { Isolation } from '../grade.types.ts'

/** What the thread in which checks run is started with: plain data. */
export interface ThreadConfig {
  readonly isolation: Isolation
  /** What `hostImage()` gave. */
  readonly image: string
  /** A private folder with a short path: a unix socket's may have 107 bytes at most. */
  readonly folder: string
}

/** About as many as the checks of one exercise take before the first ones come back. */
const SPARE = 8

let pool: HostPool | undefined

/** Before anything else of the thread is loaded: hosts start while it is. */
export async function startHosts({ isolation, image, folder }: ThreadConfig): Promise<HostPool> {
  pool = await hostPool(isolation, image, folder, SPARE)
  pool.refill()
  return pool
}

/** The processes of this thread. */
export const hosts = (): HostPool => pool!

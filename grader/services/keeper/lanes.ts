import type { RedisEndpoint } from '#services/services.ts'
import type { Progress, Server, Start } from './server.ts'

export type RedisServer = Server<RedisEndpoint>

/** Redis servers of one kind, each leased to one client at a time. */
export interface Lanes {
  /** Between one and `wanted` servers; waits, in order of arrival, while all are taken. */
  lease(wanted: number, onProgress: Progress, gone: AbortSignal): Promise<RedisServer[]>
  giveBack(servers: readonly RedisServer[]): Promise<void>
  running(): { server: RedisServer; leased: boolean }[]
  stop(): Promise<void>
}

/** @param capacity how many servers there may be at once */
export function lanes(start: Start<RedisEndpoint>, capacity: number): Lanes {
  const idle: RedisServer[] = []
  const leased = new Set<RedisServer>()
  const queue: (() => void)[] = []
  let taken = 0

  const turn = async (gone: AbortSignal) => {
    if (taken < capacity && queue.length === 0) return
    await new Promise<void>((resolve, reject) => {
      queue.push(resolve)
      gone.addEventListener('abort', () => {
        const place = queue.indexOf(resolve)
        if (place >= 0) queue.splice(place, 1)
        reject(gone.reason)
      }, { once: true })
    })
  }
  const free = (count: number) => {
    taken -= count
    for (let left = capacity - taken; left > 0 && queue.length > 0; left--) queue.shift()!()
  }
  const ready = async (onProgress: Progress): Promise<RedisServer> => {
    for (let server = idle.pop(); server; server = idle.pop()) {
      if (await server.isAlive()) return server
      await server.stop()
    }
    return start(onProgress)
  }
  /** Stands by for the next lease. A failure is told to the client that asks next, not to nobody. */
  const startSpare = async () => {
    if (taken + idle.length >= capacity) return
    const spare = await start(() => {}).catch(() => null)
    if (spare) idle.push(spare)
  }

  return {
    async lease(wanted, onProgress, gone) {
      do await turn(gone); while (taken >= capacity)
      const count = Math.min(wanted, capacity - taken)
      taken += count
      const results = await Promise.allSettled(Array.from({ length: count }, () => ready(onProgress)))
      const servers = results.flatMap((result) => result.status === 'fulfilled' ? [result.value] : [])
      if (servers.length === 0) {
        free(count)
        throw (results[0] as PromiseRejectedResult).reason
      }
      free(count - servers.length)
      for (const server of servers) leased.add(server)
      return servers
    },
    async giveBack(servers) {
      await Promise.all(servers.map(async (server) => {
        if (await server.clear().catch(() => false)) {
          leased.delete(server)
          idle.push(server)
          free(1)
          return
        }
        await server.stop()
        leased.delete(server)
        free(1)
        await startSpare()
      }))
    },
    running: () => [
      ...[...leased].map((server) => ({ server, leased: true })),
      ...idle.map((server) => ({ server, leased: false })),
    ],
    async stop() {
      await Promise.all([...leased, ...idle.splice(0)].map((server) => server.stop()))
    },
  }
}

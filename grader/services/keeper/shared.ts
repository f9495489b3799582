import type { KafkaEndpoint } from '#services/services.ts'
import type { Progress, Server, Start } from './server.ts'

/** One broker for everybody: clients keep apart by the names of their topics and groups. */
export interface Shared {
  lease(onProgress: Progress): Promise<Server<KafkaEndpoint>>
  giveBack(): Promise<void>
  running(): { server: Server<KafkaEndpoint>; leased: boolean }[]
  stop(): Promise<void>
}

export function shared(start: Start<KafkaEndpoint>): Shared {
  let broker: Server<KafkaEndpoint> | null = null
  let starting: Promise<Server<KafkaEndpoint>> | null = null
  let clearing: Promise<unknown> = Promise.resolve()
  let leases = 0
  const listeners = new Set<Progress>()

  const launch = async () => {
    await broker?.stop()
    broker = null
    broker = await start((message) => listeners.forEach((listener) => listener(message)))
    return broker
  }

  return {
    async lease(onProgress) {
      leases++
      listeners.add(onProgress)
      try {
        await clearing
        if (!starting && await broker?.isAlive()) return broker!
        starting ??= launch().finally(() => {
          starting = null
        })
        return await starting
      } catch (error) {
        leases--
        throw error
      } finally {
        listeners.delete(onProgress)
      }
    },
    async giveBack() {
      leases--
      // A new lease waits for this: otherwise its first topics might be taken for the last one's.
      if (leases === 0 && broker) clearing = broker.clear().catch(() => false)
      await clearing
    },
    running: () => broker ? [{ server: broker, leased: leases > 0 }] : [],
    async stop() {
      await broker?.stop()
    },
  }
}

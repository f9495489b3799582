import { setTimeout as pause } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import type { DirectKafka } from './direct-kafka.ts'
import { both, ServiceGone } from './verdicts.ts'

/** Topics, made many at a time: a request to create them takes as long for many as for one. */
const AT_ONCE = 16

/** So many are left when the next ones are begun: about as many as the checks that run side by side want at once. */
const SPARE = 4

const HOSTED_WITHIN_MS = 15_000

export interface TopicPool {
  /** A topic that nobody else has had, and that the broker hosts already. */
  take(partitions: number): Promise<string>
  /** Every topic made, once nothing is in the making any more. */
  close(): Promise<string[]>
}

/** Topics of one number of partitions. */
interface Shelf {
  readonly ready: string[]
  readonly waiting: PromiseWithResolvers<string>[]
  coming: number
}

export function topicPool(clients: () => Promise<{ readonly kafka: Kafka; readonly direct: DirectKafka }>, name: () => string): TopicPool {
  const shelves = new Map<number, Shelf>()
  const made: string[] = []
  const making = new Set<Promise<void>>()

  const refill = async (shelf: Shelf, numPartitions: number): Promise<void> => {
    const coming = new Set(Array.from({ length: AT_ONCE }, name))
    shelf.coming += coming.size
    try {
      // A client of its own: kafkajs forgets the topics of one call over the metadata of another.
      const { kafka, direct } = await clients()
      const admin = kafka.admin({ retry: { retries: 0 } })
      await admin.connect()
      try {
        await admin.createTopics({ topics: [...coming].map((topic) => ({ topic, numPartitions })), waitForLeaders: false })
        made.push(...coming)
        await handOut(direct, coming, shelf)
      } finally {
        await admin.disconnect()
      }
    } catch (error) {
      shelf.coming -= coming.size
      for (const { reject } of shelf.waiting.splice(0)) reject(error)
    }
  }

  return {
    async take(partitions) {
      const shelf = shelves.get(partitions) ?? { ready: [], waiting: [], coming: 0 }
      shelves.set(partitions, shelf)
      if (shelf.ready.length + shelf.coming - shelf.waiting.length <= SPARE) {
        const refilled = refill(shelf, partitions).finally(() => making.delete(refilled))
        making.add(refilled)
      }
      const topic = shelf.ready.shift()
      if (topic !== undefined) return topic
      const waiter = Promise.withResolvers<string>()
      shelf.waiting.push(waiter)
      return waiter.promise
    },
    async close() {
      await Promise.all(making)
      return made.splice(0)
    },
  }
}

/**
 * Hands each topic to who waits for one as soon as the broker hosts it. A topic exists before that, in metadata too:
 * until then clients are told to try again, and those with little patience give up.
 */
async function handOut(direct: DirectKafka, coming: Set<string>, shelf: Shelf): Promise<void> {
  const deadline = performance.now() + HOSTED_WITHIN_MS
  while (coming.size > 0) {
    const before = coming.size
    for (const topic of coming) {
      if (!(await direct.hosts(topic))) continue
      coming.delete(topic)
      shelf.coming--
      const waiter = shelf.waiting.shift()
      if (waiter) waiter.resolve(topic)
      else shelf.ready.push(topic)
    }
    if (coming.size < before) continue
    if (performance.now() > deadline) throw new ServiceGone(both('Kafka does not get its topics ready.', 'Kafka không chuẩn bị xong topic.'))
    await pause(5)
  }
}

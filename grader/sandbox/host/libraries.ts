import ioredis from 'ioredis'
import kafkajs from 'kafkajs'
import { quietRequestQueue } from '../../wire/kafkajs-quiet.ts'

/**
 * Makes the host's own copies of the client libraries the ones that learner code imports (`image.ts` writes the packages
 * that pick them up): they come with the snapshot, so that nobody waits for them.
 */
export function lendLibraries(): void {
  for (const [name, library] of Object.entries({ ioredis, kafkajs })) {
    Object.defineProperty(globalThis, Symbol.for(`redis-kafka-kit/${name}`), { value: library })
  }
  quietRequestQueue()
}

export { ioredis, kafkajs }

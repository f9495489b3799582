/** What the grader uses of kafkajs beyond its public interface: requests one at a time, and what is in their answers. */

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    pending: unknown[]
    scheduleCheckPendingRequests(): void
  }
}

declare module 'kafkajs/src/cluster/index.js' {
  import type { Broker } from 'kafkajs/src/broker/index.js'
  export default class Cluster {
    constructor(options: object)
    readonly brokerPool: { findConnectedBroker(): Promise<Broker> }
    connect(): Promise<void>
    disconnect(): Promise<void>
    refreshMetadata(): Promise<void>
    findBroker(which: { nodeId: number }): Promise<Broker>
    findGroupCoordinatorMetadata(of: { groupId: string; coordinatorType: 0 }): Promise<{ coordinator: { nodeId: number } }>
  }
}

declare module 'kafkajs/src/broker/index.js' {
  import type { PartitionData } from 'kafkajs/src/consumer/batch.js'
  export interface Broker {
    metadata(topics: string[]): Promise<{ topicMetadata: { topic: string; partitionMetadata: { partitionId: number; leader: number }[] }[] }>
    fetch(request: object): Promise<{ responses: { partitions: PartitionData[] }[] }>
    offsetCommit(request: object): Promise<unknown>
    offsetFetch(request: object): Promise<{ responses: { partitions: { partition: number; offset: string }[] }[] }>
  }
}

declare module 'kafkajs/src/consumer/batch.js' {
  import type { KafkaMessage } from 'kafkajs'
  export interface PartitionData { partition: number; lastStableOffset: string; messages: KafkaMessage[] }
  export default class Batch {
    constructor(topic: string, fetchedOffset: string, data: PartitionData)
    /** Without control records and those of aborted transactions. */
    readonly messages: KafkaMessage[]
    isEmptyIncludingFiltered(): boolean
    lastOffset(): string
  }
}

declare module 'kafkajs/src/retry/index.js' {
  /** Tries again what fails with an error that is not known to be final. */
  export default function createRetry(options: object): <T>(attempt: () => Promise<T>) => Promise<T>
}

declare module 'kafkajs/src/network/socketFactory.js' {
  export default function createSocketFactory(): unknown
}

declare module 'kafkajs/src/loggers/index.js' {
  export function createLogger(options: { level: 0; logCreator: () => () => void }): unknown
}

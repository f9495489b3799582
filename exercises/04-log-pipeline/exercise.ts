import type { Kafka } from 'kafkajs'

export function createLogProducer(kafka: Kafka, options?: { topic?: string }): {
  connect(): Promise<void>
  sendLog(level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', message: string): Promise<void>
  disconnect(): Promise<void>
} {
  throw new Error('TODO: make a producer that writes each log as one record')
}

export function consumeLogs(
  kafka: Kafka,
  options: {
    topic?: string
    groupId: string
    onLog(log: { level: string; message: string; timestamp: string }): void | Promise<void>
    onInvalid?(raw: Buffer | null, error: Error): void | Promise<void>
  },
): Promise<{ stop(): Promise<void> }> {
  throw new Error('TODO: hand every log of the topic to onLog, and go on from there after a stop')
}

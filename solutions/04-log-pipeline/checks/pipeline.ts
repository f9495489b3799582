import {
  between, both, caughtUp, CheckFailed, methods, shown, until, type KafkaWorld, type Learner, type Methods, type Text,
} from '#checks'

export interface Log { readonly level: string; readonly message: string; readonly timestamp: string }

export interface Handlers {
  onLog(log: Log): Promise<void>
  onInvalid?(raw: Buffer | null, error: unknown): Promise<void>
}

/** How long a stop may take, in milliseconds: kafkajs first waits for the fetch under way, at most 5 s unless told otherwise. */
const STOP_MS = 8000

type Producer = Methods<'connect' | 'sendLog' | 'disconnect'>

type Consumer = Methods<'stop'>

type ConsumerOptions = Handlers & { readonly topic: string; readonly groupId: string }

export async function makeProducer(learner: Learner, topic: string): Promise<Producer> {
  const made = await learner.call('createLogProducer', learner.kafka, { topic })
  return methods(made, ['connect', 'sendLog', 'disconnect'], both('createLogProducer', 'createLogProducer'))
}

/** A producer that is connected. */
export async function openProducer(learner: Learner, topic: string): Promise<Producer> {
  const producer = await makeProducer(learner, topic)
  await producer.connect()
  return producer
}

/** A consumer, as `consumeLogs` gives it. */
export async function makeConsumer(learner: Learner, options: ConsumerOptions): Promise<Consumer> {
  learner.host.deadline(STOP_MS)
  return methods(await learner.call('consumeLogs', learner.kafka, options), ['stop'],
    both('consumeLogs', 'consumeLogs'))
}

/**
 * A consumer that has begun to fetch: from then on it sees what is written, wherever a new group starts.
 * Every consumer has connections of its own, so the wire tells whose fetch it is.
 */
export async function startConsumer(learner: Learner, options: ConsumerOptions): Promise<Consumer> {
  const wire = learner.kafkaWire
  const before = wire.made()
  const consumer = await makeConsumer(learner, options)
  await until(() => wire.requests('Fetch').some(({ connection }) => connection >= before),
    both('the consumer to fetch from the topic', 'consumer bắt đầu đọc từ topic'))
  return consumer
}

/** A consumer that has begun to fetch, and the logs that onLog has got from it so far. */
export async function collect(
  learner: Learner, options: Omit<ConsumerOptions, keyof Handlers>,
): Promise<{ consumer: Consumer; seen: readonly Log[] }> {
  const seen: Log[] = []
  const consumer = await startConsumer(learner, { ...options, onLog: async (log) => { seen.push(log) } })
  return { consumer, seen }
}

/** A record as `sendLog` writes it. */
export const record = (message: string): { value: string; partition: number } =>
  ({ value: JSON.stringify({ level: 'INFO', message, timestamp: '2026-03-01T09:15:00.000Z' }), partition: 0 })

/** Messages '1' to `n`. */
export const numbered = (n: number): string[] => Array.from({ length: n }, (_, i) => String(i + 1))

/** The messages in the order in which each came first: at least once means that some may come again. */
export function messagesOf(logs: readonly (Log | null)[]): string[] {
  // Learner code may have handed over anything.
  return [...new Set(logs.map((log) => String(log?.message)))]
}

/** The offset up to which a topic of one partition is done; 0 where nothing is committed. */
export async function done(kafka: KafkaWorld, group: string, topic: string): Promise<number> {
  return Math.max(0, (await kafka.committed(group, topic))[0] ?? 0)
}

/** A topic that has one record already: on one that was only just made, a client with few retries may give up. */
export async function warmTopic(kafka: KafkaWorld): Promise<string> {
  const topic = await kafka.topic()
  await kafka.produce(topic, [record('0')])
  return topic
}

/** Waits until `count` records are on a topic of one partition. */
export async function untilWritten(kafka: KafkaWorld, topic: string, count: number): Promise<void> {
  await until(async () => (await kafka.ends(topic))[0]! >= count,
    both(`${count} records on the topic`, `${count} bản ghi trên topic`))
}

/**
 * Lets another consumer of the same process, with a topic of its own, read a log and stop. When that is over, whatever
 * the first one was about to do at the beginning is done as well: both live in one event loop and on one broker, and the
 * second one begins when no poll of the first one waits for records.
 */
export async function controlRun(learner: Learner, kafka: KafkaWorld): Promise<void> {
  await caughtUp(learner)
  const topic = await kafka.topic()
  let seen = false
  const consumer = await startConsumer(learner, { topic, groupId: kafka.name('control'), onLog: async () => { seen = true } })
  await kafka.produce(topic, [record('control')])
  await until(() => seen, both('another consumer to get its log', 'một consumer khác nhận được log của nó'))
  await consumer.stop()
}

/** Waits a moment for a commit that may be under way; who commits later, or only at a stop, is not held up for long. */
export async function commitUnderWay(kafka: KafkaWorld, group: string, topic: string, offsets: number): Promise<void> {
  await kafka.untilCommitted(group, topic, offsets, undefined, 1000).catch(() => {})
}

/** Waits for what only a living consumer can do, and says so where it has ended instead. */
export async function reaches(learner: Learner, condition: () => boolean, what: Text): Promise<void> {
  try {
    await until(condition, what)
  } catch (error) {
    if (!(error instanceof CheckFailed) || learner.kafkaWire.open() > 0) throw error
    throw new CheckFailed(both(
      `Waited in vain for ${what.en}: the consumer has ended and closed its connections.`,
      `Chờ mãi không thấy ${what.vi}: consumer đã dừng hẳn và đóng các kết nối.`), { expected: what })
  }
}

/** OffsetCommit requests for 200 logs, all there at once, until the consumer has stopped. */
export async function commitsForABacklog(learner: Learner, kafka: KafkaWorld): Promise<number> {
  const topic = await kafka.topic()
  const groupId = kafka.name('g')
  let handled = 0
  const consumer = await startConsumer(learner, { topic, groupId, onLog: async () => { handled++ } })
  await kafka.produce(topic, numbered(200).map((message) => record(message)))
  await until(() => handled >= 200, both('200 logs to be handled', '200 log được xử lý'))
  await consumer.stop()
  // Whether a stop commits the very last one is another promise.
  between(await done(kafka, groupId, topic), 199, 200,
    both('the committed offset after 200 logs', 'offset đã commit sau 200 log'))
  return learner.kafkaWire.requests('OffsetCommit').length
}

/** The JSON value of a record, or a failure that shows what the record holds. */
export function jsonOf(value: Buffer | null): unknown {
  try {
    return JSON.parse(String(value))
  } catch {
    const text = String(value).slice(0, 80)
    throw new CheckFailed(both(`The value of the record is not JSON: ${text}`,
      `Value của bản ghi không phải JSON: ${text}`),
      { expected: '{"level":…,"message":…,"timestamp":…}', got: shown(text) })
  }
}

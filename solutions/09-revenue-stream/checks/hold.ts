/** Requests of one instance, held up on their way to Kafka; and how another instance takes its place. */
import { both, until, type ApiName, type KafkaRequest, type KafkaWorld, type Learner } from '#checks'
import { ifItComes, type Shop } from './shop.ts'

/** What moves a group's offsets, or makes that move final: with transactions and without. */
export const COMMITS: readonly ApiName[] = ['OffsetCommit', 'TxnOffsetCommit', 'EndTxn']

/** What makes it final. */
export const FINAL_COMMITS: readonly ApiName[] = ['OffsetCommit', 'EndTxn']

export interface Held {
  readonly requests: readonly KafkaRequest[]
  /** Lets them go; resolves when Kafka has answered the first of them, or its connection has ended. */
  release(): Promise<void>
}

/** From now on holds every request of `apis` before Kafka sees it. */
export function hold({ kafkaWire }: Learner, apis: readonly ApiName[]): Held {
  const door = Promise.withResolvers<'pass'>()
  const requests: KafkaRequest[] = []
  kafkaWire.gate = (request) => {
    if (!apis.includes(request.api)) return 'pass'
    requests.push(request)
    return door.promise
  }
  return {
    requests,
    async release() {
      kafkaWire.gate = null
      door.resolve('pass')
      await ifItComes(() => requests.length === 0 || requests[0]!.answered, 1000)
    },
  }
}

/** Before the next request that `belongs` reaches Kafka, `first` has its way. */
export function before({ kafkaWire }: Learner, belongs: (request: KafkaRequest) => boolean, first: () => Promise<void>): void {
  let had: Promise<void> | undefined
  kafkaWire.gate = async (request): Promise<'pass'> => {
    if (belongs(request)) await (had ??= first())
    return 'pass'
  }
}

/** Cuts the connection three times when something is sent to Kafka. */
export function cutSends({ kafkaWire }: Learner): void {
  let left = 3
  kafkaWire.gate = ({ api }) => (api === 'Produce' && left-- > 0 ? 'cut' : 'pass')
}

/** Ends a process the hard way; the group does not have to wait for its session to end. */
export async function kill(learner: Learner, kafka: KafkaWorld, shop: Shop): Promise<void> {
  await learner.kill()
  await kafka.expel(shop.groupId)
}

/** Waits until a request is held, or something is written all the same: there are ways without such requests. */
export async function untilHeld(held: Held, kafka: KafkaWorld, shop: Shop, written: readonly number[]): Promise<void> {
  await until(async () => held.requests.length > 0 || (await kafka.ends(shop.outputTopic)).join() !== written.join(),
    both('the sales to be processed', 'các lần bán được xử lý'))
}

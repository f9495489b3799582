/** Requests of one instance, held up on their way to Kafka or to the store; and how another instance takes its place. */
import { both, CheckFailed, show, until, type ApiName, type Command, type KafkaRequest, type KafkaWorld, type Learner } from '#checks'
import type { Step } from '#scoring/outcome.ts'
import { showReply } from '#wire/resp.ts'
import { ifItComes, type Shop } from './shop.ts'

/** What moves a group's offsets, or makes that move final: with transactions and without. */
export const COMMITS: readonly ApiName[] = ['OffsetCommit', 'TxnOffsetCommit', 'EndTxn']

/** What makes it final. */
export const FINAL_COMMITS: readonly ApiName[] = ['OffsetCommit', 'EndTxn']

/** All that an instance writes for its sales, from the beginning of a transaction to its end. */
export const WRITES: readonly ApiName[] = ['AddPartitionsToTxn', 'AddOffsetsToTxn', 'Produce', ...COMMITS]

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

export interface HeldStore {
  /** How many writes have reached the store. */
  readonly writes: number
  readonly isHeld: boolean
  /** `error` with what the process did before it was killed. */
  explain(error: CheckFailed): CheckFailed
}

/** Commands that change nothing, and so leave nothing behind half-done. */
const READS = new Set([
  'GET', 'MGET', 'STRLEN', 'EXISTS', 'TYPE', 'TTL', 'PTTL', 'HGET', 'HMGET', 'HGETALL', 'HKEYS', 'HVALS', 'HLEN', 'HEXISTS', 'ZSCORE', 'ZMSCORE', 'ZRANGE',
  'ZCARD', 'SMEMBERS', 'SISMEMBER', 'SMISMEMBER', 'SCARD', 'LRANGE', 'LLEN', 'LINDEX', 'XRANGE', 'XREVRANGE', 'XLEN', 'TIME', 'PING', 'ECHO', 'INFO', 'CLIENT',
  'HELLO', 'AUTH', 'SELECT', 'SCRIPT', 'WATCH', 'UNWATCH', 'QUIT',
])

/** Lets `most` writes through to the store, a transaction being one, and then nothing more. */
export function holdStore({ wire }: Learner, most: number): HeldStore {
  const sent: Command[] = []
  const held = {
    writes: 0,
    isHeld: false,
    explain(error: CheckFailed) {
      const steps = sent.map((command, i): Step => ({
        lane: 0, text: show(command), reply: command.reply && showReply(command.reply).slice(0, 80), mark: held.isHeld && i === sent.length - 1 ? 'killed' : null,
      }))
      return new CheckFailed(error.text, { ...error.evidence, kind: 'cut', lanes: [both('your commands to the store', 'các lệnh của bạn tới store')], steps })
    },
  }
  let isInTransaction = false
  wire.gate = (command) => {
    const { name } = command
    // Whatever follows the one that is held never gets there either.
    if (!held.isHeld) sent.push(command)
    if (isInTransaction) isInTransaction = name !== 'EXEC' && name !== 'DISCARD'
    else if (!READS.has(name)) {
      if (held.writes >= most) held.isHeld = true
      else held.writes++
      isInTransaction = name === 'MULTI'
    }
    return held.isHeld ? new Promise(() => {}) : 'pass'
  }
  return held
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

/** Which names the code asks Kafka for when it was not told one. */
import { both, namedTopics, same, settled, until, type CheckContext, type KafkaRequest, type Learner, type Text } from '#checks'
import { makeAnalytics, type Shop } from './shop.ts'

/** Leaves out one topic of a shop whose input is there already. */
export async function topicByDefault(
  { learner, kafka }: Pick<CheckContext, 'learner' | 'kafka'>, shop: Shop, option: 'inputTopic' | 'outputTopic' | 'dlqTopic', name: string,
): Promise<void> {
  const own = { ...shop, groupId: kafka.name('revenue'), transactionalId: kafka.name('tx') }
  const asked = await asksFor(learner, own, option,
    both(`the code, without ${option}, to ask Kafka for a topic that it was not given`, `mã không được truyền ${option} hỏi Kafka về một topic không được truyền vào`),
    (request) => namedTopics(request).filter((topic) => !Object.values(shop).includes(topic)))
  same(asked, [name], both(`the topic used without ${option}`, `topic được dùng khi không truyền ${option}`))
}

/** Starts analytics without `option`, waits for `what`, and cuts them off as soon as they name what `names` looks for: the defaults belong to everybody. */
export async function asksFor(
  learner: Learner, shop: Shop, option: keyof Shop, what: Text, names: (request: KafkaRequest) => string[],
): Promise<string[]> {
  const { [option]: _, ...options } = shop
  // Clients of its own: what one of them does to its store when it stops is not to be seen by the next.
  const client = await (await learner.withKafka({ retries: 1 })).withRedis()
  const asked = new Set<string>()
  client.kafkaWire.gate = (request) => {
    const found = names(request)
    for (const name of found) asked.add(name)
    return found.length > 0 ? 'cut' : 'pass'
  }
  const analytics = await makeAnalytics(client, options)
  const starting = settled(analytics.start())
  await until(() => asked.size > 0, what)
  client.kafkaWire.down()
  await starting
  await settled(analytics.stop())
  return [...asked]
}

/** The text a request starts with: the group or the key it is about. */
export const firstText = ({ body }: KafkaRequest): string => body.toString('utf8', 2, 2 + body.readInt16BE(0))

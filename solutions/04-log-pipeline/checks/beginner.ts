import { both, check, same, until } from '#checks'

check('logs-arrive', async ({ learner, kafka, did }) => {
  did(both('sent two logs, then consumed them', 'gửi hai log rồi tiêu thụ'))
  const topic = await kafka.topic()
  const producer = (await learner.call('createLogProducer', learner.kafka, { topic })) as Record<string, (...args: unknown[]) => Promise<unknown>>
  await producer.connect!()
  await producer.sendLog!('INFO', 'one')
  await producer.sendLog!('WARN', 'two')
  const seen: unknown[] = []
  const running = (await learner.call('consumeLogs', learner.kafka, {
    topic, groupId: kafka.name('g'), onLog: async (log: { message: string }) => { seen.push(log.message) },
  })) as Record<string, () => Promise<unknown>>
  await until(() => seen.length === 2, both('two logs', 'hai log'))
  same(seen, ['one', 'two'], both('the logs', 'các log'))
  await running.stop!()
  await producer.disconnect!()
})

check('one-produce-request', async ({ learner, kafka }) => {
  const topic = await kafka.topic()
  const producer = (await learner.call('createLogProducer', learner.kafka, { topic })) as Record<string, (...args: unknown[]) => Promise<unknown>>
  await producer.connect!()
  await producer.sendLog!('INFO', 'one')
  learner.kafkaWire.forget()
  await producer.sendLog!('WARN', 'two')
  same(learner.kafkaWire.requests('Produce').length, 1, both('Produce requests', 'số request Produce'))
  same((await kafka.read(topic, 2)).length, 2, both('records', 'bản ghi'))
  await producer.disconnect!()
})

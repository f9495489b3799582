/** What a consumer does with a handler that fails and with a record that is no log. */
import { both, holds, quiet, same, shown, type CheckContext } from '#checks'
import type { Message } from 'kafkajs'
import { done, messagesOf, reaches, record, startConsumer, type Log } from './pipeline.ts'

export type World = Pick<CheckContext, 'learner' | 'kafka'>

type OnLog = (log: Log) => Promise<void>

/**
 * The first of two logs is rejected with each of `errors`: it comes again every time, before the second.
 * `dressed` puts something around the handler that fails at the first call.
 */
export async function survives({ learner, kafka }: World, errors: readonly unknown[], dressed?: (onLog: OnLog) => Promise<OnLog>): Promise<void> {
  const topic = await kafka.topic()
  const groupId = kafka.name('g')
  // After a few failures kafkajs starts its consumer anew: where a new group starts is another check's business.
  await kafka.rewind(groupId, topic)
  const left = [...errors]
  const handled: string[] = []
  const offsets: number[] = []
  const handler: OnLog = async ({ message }) => {
    if (message === '1' && left.length > 0) {
      const error = left.shift()
      offsets.push((await kafka.committed(groupId, topic))[0] ?? -1)
      throw error
    }
    handled.push(message)
  }
  const consumer = await startConsumer(learner, { topic, groupId, onLog: dressed ? await dressed(handler) : handler })
  await kafka.produce(topic, [record('1'), record('2')])
  // One by one: whoever waits longer after each failure still goes on.
  for (let times = 0; times < errors.length && handled.length === 0; times++) {
    const again = times + (dressed ? 1 : 0)
    await reaches(learner, () => errors.length - left.length > times || handled.length > 0, again === 0
      ? both('the first log', 'log đầu tiên')
      : both(`the rejected log to come again${again === 1 ? '' : ` ${again} times`}`, `log bị báo lỗi được giao lại ${again} lần`))
  }
  await reaches(learner, () => handled.includes('2'),
    both('the log behind the rejected one', 'log đứng sau log bị báo lỗi'))
  same([...new Set(handled)], ['1', '2'],
    both('the logs that were handled, in order', 'các log được xử lý, theo thứ tự'))
  holds(offsets.every((offset) => offset <= 0),
    both('the committed offset while the first log was not handled',
      'offset đã commit khi log đầu chưa được xử lý'), '0', offsets.join(', '))
  await consumer.stop()
}

/** A log that is rejected while the consumer stops is not handled: its offset stays where it was, whatever was handled in another partition. */
export async function isNotDone({ learner, kafka }: World): Promise<void> {
  const topic = await kafka.topic(2)
  const groupId = kafka.name('g')
  const gate = Promise.withResolvers<void>()
  let elsewhere = false
  let called = false
  const consumer = await startConsumer(learner, {
    topic, groupId,
    onLog: async ({ message }) => {
      if (message === 'elsewhere') {
        elsewhere = true
        return
      }
      called = true
      await gate.promise
      throw new Error('not now')
    },
  })
  await kafka.produce(topic, [{ ...record('elsewhere'), partition: 1 }])
  await reaches(learner, () => elsewhere, both('onLog to be called for another partition', 'onLog được gọi cho partition khác'))
  await kafka.produce(topic, [record('1')])
  await reaches(learner, () => called, both('onLog to be called', 'onLog được gọi'))
  const stopping = consumer.stop()
  await quiet(learner)
  gate.resolve()
  await stopping
  same(await done(kafka, groupId, topic), 0,
    both('the committed offset of a partition after stop(), with its only log rejected',
      'offset đã commit của một partition sau stop(), khi log duy nhất của nó bị báo lỗi'))
}

export interface SetAside { readonly raw: unknown; readonly error: unknown }

/** Each of `values` goes to onInvalid, and the logs around them, `others` too, to onLog. */
export async function setsAside({ learner, kafka }: World, values: readonly Message['value'][], ...others: readonly Log[]): Promise<SetAside[]> {
  const topic = await kafka.topic()
  const logs: Log[] = []
  const calls: SetAside[] = []
  const consumer = await startConsumer(learner, {
    topic, groupId: kafka.name('g'),
    onLog: async (log) => { logs.push(log) },
    onInvalid: async (raw, error) => { calls.push({ raw, error }) },
  })
  const between = [...values, ...others.map((log) => JSON.stringify(log))]
  await kafka.produce(topic, [record('before'), ...between.map((value) => ({ value, partition: 0 })), record('after')])
  await reaches(learner, () => messagesOf(logs).includes('after'),
    both('the log behind the invalid records', 'log đứng sau các bản ghi hỏng'))
  same(messagesOf(logs), ['before', ...messagesOf(others), 'after'], both('what onLog got', 'những gì onLog nhận được'))
  const different = new Set(calls.map(({ raw }) => (Buffer.isBuffer(raw) ? raw.toString('hex') : shown(raw))))
  same(different.size, values.length,
    both(`different records that onInvalid got, of ${values.length} invalid ones`,
      `số bản ghi khác nhau mà onInvalid nhận được, trong ${values.length} bản ghi hỏng`))
  if (values.includes(null)) same(calls[values.indexOf(null)]!.raw, null,
    both('the raw record that onInvalid got for a record without value',
      'dữ liệu thô mà onInvalid nhận được cho bản ghi không có value'))
  await consumer.stop()
  return calls
}

/** Deletes all topics of a broker of our own, so that it does not fill up over a day. False if it could not. */
export async function deleteTopics(brokers: string[]): Promise<boolean> {
  const { Kafka, logLevel } = await import('kafkajs')
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 1 } }).admin()
  try {
    await admin.connect()
    const topics = (await admin.listTopics()).filter((topic) => !topic.startsWith('__'))
    if (topics.length > 0) await admin.deleteTopics({ topics })
    return true
  } catch {
    return false
  } finally {
    await admin.disconnect().catch(() => {})
  }
}

import type { Redis } from 'ioredis'
import type { Text } from '#catalog/text.ts'
import { both, CheckFailed } from '#checks'

/** Awaits `call`; fails as soon as the server says that a client is waiting there for something to come. */
export async function blockedOf<T>(redis: Redis, call: Promise<T>, what: Text): Promise<T> {
  const answered = await raced(redis, call, async () => true)
  if (answered) return call
  throw new CheckFailed(both(
    `${what.en} waits on the server instead of answering.`,
    `${what.vi} nằm chờ trên server thay vì trả lời ngay.`),
  { expected: both('an answer at once', 'trả lời ngay'), got: both('a blocked connection', 'kết nối bị chặn') })
}

/** Whether `call` settles before the server holds a client blocked while `stuck` is true. */
export async function raced(redis: Redis, call: Promise<unknown>, stuck: () => Promise<boolean>): Promise<boolean> {
  let settled = false
  const end = (): void => { settled = true }
  call.then(end, end)
  for (;;) {
    const blocked = (await anyBlocked(redis)) && (await stuck())
    if (settled) return true
    if (blocked) return false
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
}

async function anyBlocked(redis: Redis): Promise<boolean> {
  const clients = String(await redis.client('LIST')).split('\n')
  return clients.some((line) => line.includes(` db=${redis.options.db ?? 0} `) && / flags=\w*b/.test(line))
}

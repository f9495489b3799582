// Way: entries in envelopes with an id, LMOVE into a processing list, a hash of claim times; scripts by defineCommand.
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

const QUEUE = 'task:queue'
const PROCESSING = 'task:processing'
const TIMES = 'task:processing:claims'
const DEAD = 'task:queue:dead'

interface Claimed { receipt: string; task: object }
interface Commands {
  moveClaim(queue: string, processing: string, times: string, token: string): Promise<string | null>
  endClaim(processing: string, times: string, token: string): Promise<number>
  buryClaim(processing: string, times: string, dead: string, token: string): Promise<number>
  moveBack(queue: string, processing: string, times: string, ms: string): Promise<number>
}

/** Teaches the client its commands, once. */
function taught(redis: Redis): Redis & Commands {
  if (!('moveClaim' in redis)) {
    redis.defineCommand('moveClaim', { numberOfKeys: 3, lua: `
      -- Sent again after a lost reply, it must not take a second entry under the same receipt.
      local known = redis.call('HGET', KEYS[3], 'entry ' .. ARGV[1])
      if known then return known end
      local entry = redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT')
      if not entry then return nil end
      local t = redis.call('TIME')
      redis.call('HSET', KEYS[3], ARGV[1], string.format('%d', t[1] * 1000 + math.floor(t[2] / 1000)))
      redis.call('HSET', KEYS[3], 'entry ' .. ARGV[1], entry)
      return entry
    ` })
    redis.defineCommand('endClaim', { numberOfKeys: 2, lua: `
      local entry = redis.call('HGET', KEYS[2], 'entry ' .. ARGV[1])
      if not entry then return 0 end
      redis.call('LREM', KEYS[1], 1, entry)
      return redis.call('HDEL', KEYS[2], ARGV[1], 'entry ' .. ARGV[1]) - 1
    ` })
    redis.defineCommand('buryClaim', { numberOfKeys: 3, lua: `
      local entry = redis.call('HGET', KEYS[2], 'entry ' .. ARGV[1])
      redis.call('LREM', KEYS[1], 1, entry)
      redis.call('HDEL', KEYS[2], ARGV[1], 'entry ' .. ARGV[1])
      return redis.call('RPUSH', KEYS[3], entry)
    ` })
    redis.defineCommand('moveBack', { numberOfKeys: 3, lua: `
      local t = redis.call('TIME')
      local now = t[1] * 1000 + math.floor(t[2] / 1000)
      local claims, receipts = redis.call('HGETALL', KEYS[3]), {}
      for i = 1, #claims, 2 do
        if string.sub(claims[i], 1, 6) == 'entry ' then receipts[claims[i + 1]] = string.sub(claims[i], 7) end
      end
      local count = 0
      -- The processing list is in the order of the claims: from its end, each goes ahead of the one before.
      local entries = redis.call('LRANGE', KEYS[2], 0, -1)
      for i = #entries, 1, -1 do
        local receipt = receipts[entries[i]]
        if now - redis.call('HGET', KEYS[3], receipt) > tonumber(ARGV[1]) then
          redis.call('LREM', KEYS[2], 1, entries[i])
          redis.call('HDEL', KEYS[3], receipt, 'entry ' .. receipt)
          redis.call('LPUSH', KEYS[1], entries[i])
          count = count + 1
        end
      end
      return count
    ` })
  }
  return redis as Redis & Commands
}

/** Appends an envelope to the list `task:queue`; nothing expires. */
export async function addTask(redis: Redis, task: object): Promise<number> {
  if (typeof task !== 'object' || !task) throw new TypeError('no object')
  return redis.rpush(QUEUE, JSON.stringify({ id: randomUUID(), task }))
}

/** Takes the head of `task:queue`; malformed ones end in `task:queue:dead`. */
export async function getNextTask(redis: Redis): Promise<object | null> {
  let entry: string | null
  while ((entry = await redis.lpop(QUEUE)) !== null) {
    const task = open(entry)
    if (task !== null) return task
    await redis.lpush(DEAD, entry)
  }
  return null
}

/** The length of `task:queue`. */
export async function getQueueLength(redis: Redis): Promise<number> {
  return redis.llen(QUEUE)
}

/** One script: `task:queue` → `task:processing`, with the server's time in `task:processing:claims`. Nothing expires. */
export async function claimTask(redis: Redis, workerId: string): Promise<Claimed | null> {
  if (typeof workerId !== 'string') throw new TypeError('no string')
  if (workerId.length === 0) throw new RangeError('empty')
  const commands = taught(redis)
  for (;;) {
    const receipt = `${workerId}/${randomUUID()}`
    const entry = await commands.moveClaim(QUEUE, PROCESSING, TIMES, receipt)
    if (entry === null) return null
    const task = open(entry)
    if (task !== null) return { receipt, task }
    await commands.buryClaim(PROCESSING, TIMES, DEAD, receipt)
  }
}

/** One script: forgets the claim; false when there is none. */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('no string')
  return (await taught(redis).endClaim(PROCESSING, TIMES, receipt)) === 1
}

/** One script: stale claims go back to the front of `task:queue`. */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number') throw new TypeError('no number')
  if (!(olderThanMs >= 0 && olderThanMs < Infinity)) throw new RangeError('out of range')
  return taught(redis).moveBack(QUEUE, PROCESSING, TIMES, String(olderThanMs))
}

function open(entry: string): object | null {
  try {
    const { task } = JSON.parse(entry) as { task?: unknown }
    return typeof task === 'object' ? task : null
  } catch {
    return null
  }
}

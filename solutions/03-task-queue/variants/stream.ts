// Way: a stream and a consumer group (XREADGROUP, XAUTOCLAIM), the group made once per process; what goes back waits in a sorted set of ids.
import type { Redis } from 'ioredis'

const STREAM = 'task:stream'
const GROUP = 'workers'
/** Ids that wait to be claimed again, in their order. */
const AGAIN = 'task:again'
/** Id → receipt of the claim that holds it. */
const RECEIPTS = 'task:stream:receipts'
const COUNTER = 'task:stream:claims'
/** Nothing has been idle for so long; what the server takes for a time of idleness ends somewhat later. */
const LONGEST_MS = Number.MAX_SAFE_INTEGER - 1

const LENGTH = `
  local function length()
    return redis.call('XLEN', KEYS[1]) - redis.call('XPENDING', KEYS[1], ARGV[1])[1] + redis.call('ZCARD', KEYS[2])
  end
`
const TAKE = `
  local function take(worker)
    local id = redis.call('ZPOPMIN', KEYS[2])[1]
    local entry
    if id then
      entry = redis.call('XCLAIM', KEYS[1], ARGV[1], worker, 0, id)[1]
    else
      local read = redis.call('XREADGROUP', 'GROUP', ARGV[1], worker, 'COUNT', 1, 'STREAMS', KEYS[1], '>')
      entry = read and read[1][2][1]
    end
    if not entry then return nil end
    return entry[1], entry[2][2]
  end
  local function forget(id)
    redis.call('XACK', KEYS[1], ARGV[1], id)
    redis.call('XDEL', KEYS[1], id)
  end
`
const ADD = `${LENGTH}
  redis.call('XADD', KEYS[1], '*', 'task', ARGV[2])
  return length()
`
const COUNT = `${LENGTH} return length()`
const NEXT = `${TAKE}
  local id, task = take('direct')
  if id then forget(id) end
  return task
`
const CLAIM = `${TAKE}
  local id, task = take(ARGV[2])
  if not id then return nil end
  local receipt = id .. '/' .. redis.call('INCR', KEYS[4])
  redis.call('HSET', KEYS[3], id, receipt)
  return { receipt, task }
`
const ACK = `${TAKE}
  local id = string.match(ARGV[2], '^[%d-]+')
  if not id or redis.call('HGET', KEYS[3], id) ~= ARGV[2] then return 0 end
  forget(id)
  return redis.call('HDEL', KEYS[3], id)
`
const REQUEUE = `
  local stale, cursor = {}, '0-0'
  repeat
    local page = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], 'nobody', ARGV[2], cursor, 'COUNT', 100, 'JUSTID')
    cursor = page[1]
    for _, id in ipairs(page[2]) do
      local receipt = redis.call('HGET', KEYS[3], id)
      if receipt then stale[#stale + 1] = { id = id, turn = tonumber(string.match(receipt, '/(%d+)')) } end
    end
  until cursor == '0-0'
  table.sort(stale, function(a, b) return a.turn > b.turn end)
  for _, claim in ipairs(stale) do
    local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2] or 0
    redis.call('ZADD', KEYS[2], first - 1, claim.id)
    redis.call('HDEL', KEYS[3], claim.id)
  end
  return #stale
`

let group: Promise<void> | undefined

/** The consumer group is made at the first call of a process. */
function ready(redis: Redis): Promise<void> {
  group ??= redis.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM').then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof Error && error.message.startsWith('BUSYGROUP')) return
      group = undefined
      throw error
    },
  )
  return group
}

async function run(redis: Redis, script: string, ...args: string[]): Promise<unknown> {
  await ready(redis)
  return redis.eval(script, 4, STREAM, AGAIN, RECEIPTS, COUNTER, GROUP, ...args)
}

/** An entry in the stream `task:stream`; nothing expires. */
export async function addTask(redis: Redis, task: object): Promise<number> {
  if (typeof task !== 'object' || task === null) throw new TypeError('task must be an object')
  return Number(await run(redis, ADD, JSON.stringify(task)))
}

/** Reads the next entry of `task:stream` and deletes it, in one script. */
export async function getNextTask(redis: Redis): Promise<object | null> {
  const text = await run(redis, NEXT)
  return typeof text === 'string' ? (JSON.parse(text) as object) : null
}

/** Entries that nobody has, and those that went back. */
export async function getQueueLength(redis: Redis): Promise<number> {
  return Number(await run(redis, COUNT))
}

/** Reads the next entry for this worker; it stays pending in `task:stream` until it is acknowledged. No expiry. */
export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  if (typeof workerId !== 'string') throw new TypeError('workerId must be a string')
  if (workerId === '') throw new RangeError('workerId must not be empty')
  const reply = await run(redis, CLAIM, `worker ${workerId}`)
  if (!Array.isArray(reply)) return null
  const [receipt, text] = reply as [string, string]
  return { receipt, task: JSON.parse(text) as object }
}

/** Acknowledges and deletes the entry, if this receipt still holds it. */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('receipt must be a string')
  return (await run(redis, ACK, receipt)) === 1
}

/** Takes stale entries from their workers; they wait in `task:again` and come first. One script. */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number') throw new TypeError('olderThanMs must be a number')
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0) throw new RangeError('olderThanMs must be finite, from 0 up')
  return Number(await run(redis, REQUEUE, String(Math.min(Math.floor(olderThanMs), LONGEST_MS) + 1)))
}

// Way: a stream without a group for what waits, a list of records for what is claimed, a list in front for what went back.
import type { Redis } from 'ioredis'

const WAITING = 'task:queue:stream'
const FRONT = 'task:queue:front'
const CLAIMS = 'task:claims'

const TAKE = `
  local function take()
    local front = redis.call('LPOP', '${FRONT}')
    if front then return front end
    local first = redis.call('XRANGE', '${WAITING}', '-', '+', 'COUNT', 1)[1]
    if not first then return nil end
    redis.call('XDEL', '${WAITING}', first[1])
    return first[2][2]
  end
`
const scripts = {
  add: `redis.call('XADD', '${WAITING}', '*', 'task', ARGV[1]) return redis.call('XLEN', '${WAITING}') + redis.call('LLEN', '${FRONT}')`,
  length: `return redis.call('XLEN', '${WAITING}') + redis.call('LLEN', '${FRONT}')`,
  next: `${TAKE} return take()`,
  claim: `${TAKE}
    local text = take()
    if not text then return nil end
    local t = redis.call('TIME')
    local receipt = 'r' .. redis.call('INCR', 'task:claims:last')
    redis.call('RPUSH', '${CLAIMS}', t[1] * 1000 + math.floor(t[2] / 1000) .. '\\n' .. receipt .. '\\n' .. text)
    return { receipt, text }`,
  ack: `
    for _, record in ipairs(redis.call('LRANGE', '${CLAIMS}', 0, -1)) do
      if string.match(record, '\\n(r%d+)\\n') == ARGV[1] then return redis.call('LREM', '${CLAIMS}', 1, record) end
    end
    return 0`,
  requeue: `
    local t = redis.call('TIME')
    local now = t[1] * 1000 + math.floor(t[2] / 1000)
    local records, count = redis.call('LRANGE', '${CLAIMS}', 0, -1), 0
    for i = #records, 1, -1 do
      local at, _, text = string.match(records[i], '^(%d+)\\n(r%d+)\\n(.*)$')
      if now - at > tonumber(ARGV[1]) then
        redis.call('LREM', '${CLAIMS}', -1, records[i])
        redis.call('LPUSH', '${FRONT}', text)
        count = count + 1
      end
    end
    return count`,
}

type Claimed = { receipt: string; task: object }

/** Adds to the stream `task:queue:stream`, which never expires. */
async function addTask(redis: Redis, task: object): Promise<number> {
  if (typeof task !== 'object' || task === null) throw new TypeError('a task must be an object')
  return (await redis.eval(scripts.add, 0, JSON.stringify(task))) as number
}

/** Takes what went back to `task:queue:front`, else the oldest of `task:queue:stream`; one script. */
async function getNextTask(redis: Redis): Promise<object | null> {
  const text = (await redis.eval(scripts.next, 0)) as string | null
  return text === null ? null : (JSON.parse(text) as object)
}

/** The tasks in `task:queue:stream` and `task:queue:front`. */
async function getQueueLength(redis: Redis): Promise<number> {
  return (await redis.eval(scripts.length, 0)) as number
}

/** Takes a task and keeps it in `task:claims`, with the server's time; one script, no expiry. */
async function claimTask(redis: Redis, workerId: string): Promise<Claimed | null> {
  if (typeof workerId !== 'string' || workerId === '') throw new TypeError('workerId must be a non-empty string')
  const reply = (await redis.eval(scripts.claim, 0)) as [string, string] | null
  return reply === null ? null : { receipt: reply[0], task: JSON.parse(reply[1]) as object }
}

/** Removes the record of the claim; one script. */
async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('receipt must be a string')
  return (await redis.eval(scripts.ack, 0, receipt)) === 1
}

/** Moves stale records to `task:queue:front`; one script. */
async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number') throw new TypeError('olderThanMs must be a number')
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0) throw new RangeError('olderThanMs must be finite and 0 or more')
  return (await redis.eval(scripts.requeue, 0, olderThanMs)) as number
}

export { ackTask, addTask, claimTask, getNextTask, getQueueLength, requeueStale }

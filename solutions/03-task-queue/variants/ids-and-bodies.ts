// Way: the list holds ids, a hash the tasks; claims in a hash of "time id"; scripts by hash with a fallback; an id without a task is malformed.
import { createHash, randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

class Script {
  readonly #lua: string
  readonly #sha: string

  constructor(lua: string) {
    this.#lua = lua
    this.#sha = createHash('sha1').update(lua).digest('hex')
  }

  async run(redis: Redis, ...args: (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, 0, ...args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return redis.eval(this.#lua, 0, ...args)
    }
  }
}

const TAKE = `
  local function take()
    while true do
      local id = redis.call('LPOP', 'task:queue')
      if not id then return nil end
      local body = redis.call('HGET', 'task:bodies', id)
      if body then return id, body end
      redis.call('RPUSH', 'task:queue:dead', id)
    end
  end
`
const ADD = new Script(`
  redis.call('HSET', 'task:bodies', ARGV[1], ARGV[2])
  return redis.call('RPUSH', 'task:queue', ARGV[1])
`)
const NEXT = new Script(`${TAKE}
  local id, body = take()
  if id then redis.call('HDEL', 'task:bodies', id) end
  return body
`)
const CLAIM = new Script(`${TAKE}
  -- Sent again after a lost reply, it must not take a second task under the same receipt.
  local known = redis.call('HGET', 'task:claims', ARGV[1])
  if known then return redis.call('HGET', 'task:bodies', string.match(known, ' (.*)')) end
  local id, body = take()
  if not id then return nil end
  local t = redis.call('TIME')
  redis.call('HSET', 'task:claims', ARGV[1], t[1] .. string.format('%06d', t[2]) .. ' ' .. id)
  return body
`)
const ACK = new Script(`
  local claim = redis.call('HGET', 'task:claims', ARGV[1])
  if not claim then return 0 end
  redis.call('HDEL', 'task:bodies', string.match(claim, ' (.*)'))
  return redis.call('HDEL', 'task:claims', ARGV[1])
`)
const REQUEUE = new Script(`
  local t = redis.call('TIME')
  local now = t[1] * 1000000 + t[2]
  local all, stale = redis.call('HGETALL', 'task:claims'), {}
  for i = 1, #all, 2 do
    local at, id = string.match(all[i + 1], '(%d+) (.*)')
    if now - at > ARGV[1] * 1000 then stale[#stale + 1] = { at = tonumber(at), id = id, receipt = all[i] } end
  end
  table.sort(stale, function(a, b) return a.at > b.at end)
  for _, claim in ipairs(stale) do
    redis.call('LPUSH', 'task:queue', claim.id)
    redis.call('HDEL', 'task:claims', claim.receipt)
  end
  return #stale
`)

/** An id in the list `task:queue`, the task in the hash `task:bodies`: one script, no expiry. */
export async function addTask(redis: Redis, task: object): Promise<number> {
  if (typeof task !== 'object' || task === null) throw new TypeError('a task is an object')
  return (await ADD.run(redis, randomUUID(), JSON.stringify(task))) as number
}

/** Takes the first id of `task:queue` that has a task; the others go to `task:queue:dead`. One script. */
export async function getNextTask(redis: Redis): Promise<object | null> {
  const body = (await NEXT.run(redis)) as string | null
  return body === null ? null : (JSON.parse(body) as object)
}

/** The length of `task:queue`. */
export async function getQueueLength(redis: Redis): Promise<number> {
  return redis.llen('task:queue')
}

/** Moves the id from `task:queue` to `task:claims` in one script; the task stays in `task:bodies`. No expiry. */
export async function claimTask(redis: Redis, workerId: string): Promise<{ receipt: string; task: object } | null> {
  if (typeof workerId !== 'string') throw new TypeError('a worker id is a string')
  if (workerId === '') throw new RangeError('a worker id is not empty')
  const receipt = randomUUID()
  const body = (await CLAIM.run(redis, receipt)) as string | null
  return body === null ? null : { receipt, task: JSON.parse(body) as object }
}

/** Forgets claim and task, in one script. */
export async function ackTask(redis: Redis, receipt: string): Promise<boolean> {
  if (typeof receipt !== 'string') throw new TypeError('a receipt is a string')
  return (await ACK.run(redis, receipt)) === 1
}

/** Ids of stale claims go back to the front of `task:queue`, in one script. */
export async function requeueStale(redis: Redis, olderThanMs: number): Promise<number> {
  if (typeof olderThanMs !== 'number') throw new TypeError('an age is a number')
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0) throw new RangeError('an age is finite and not negative')
  return (await REQUEUE.run(redis, olderThanMs)) as number
}

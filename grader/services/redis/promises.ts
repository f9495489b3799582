/** What every kind of Redis promises to those who lease it, as tests: called once for each kind. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { openLine, type Line } from '#services/redis/ask.ts'
import { acquire, type Lease, type Login, type RedisEndpoint, type ServiceKind } from '#services/services.ts'

const permitted = [
  'SET key value', 'KEYS *', 'FLUSHDB', 'INFO server', 'ROLE', 'CLIENT ID', 'CLIENT SETNAME me', 'EVAL return(1) 0',
  'SCRIPT LOAD return(1)', 'BLPOP nothing 0.01', 'MULTI', 'EXEC', 'XADD log * field value', 'PUBLISH channel message',
]
const refused = [
  'FLUSHALL', 'CONFIG GET maxmemory', 'SHUTDOWN NOSAVE', 'SELECT 1', 'SWAPDB 0 1', 'MOVE key 1', 'CLIENT KILL ID 1',
  'CLIENT PAUSE 1000', 'CLIENT LIST', 'SCRIPT KILL', 'FUNCTION LIST', 'ACL LIST', 'MODULE LIST', 'REPLICAOF NO ONE',
  'MONITOR', 'DEBUG SLEEP 0', 'SLOWLOG RESET',
]

export function redisPromises(kind: ServiceKind, { canDie }: { canDie: boolean }): void {
  const lease = () => acquire({ redis: 1, kafka: false }, { kind })

  test('names where it comes from and the version the server tells', async () => {
    await using leased = disposable(await lease())
    const [endpoint] = leased.redis
    await using line = await loggedIn(endpoint, endpoint.admin)
    expect(endpoint.from).toBe(kind)
    expect(await line.ask('INFO', 'server')).toContain(`redis_version:${endpoint.version}`)
    expect(leased.kafka).toBeNull()
  })

  test('belongs to one client at a time, however many ask at once', async () => {
    const marks = await Promise.all(Array.from({ length: 6 }, async () => {
      await using leased = disposable(await acquire({ redis: 2, kafka: false }, { kind }))
      const answers = []
      for (const endpoint of leased.redis) {
        await using line = await loggedIn(endpoint, endpoint.admin)
        answers.push(await line.ask('SET', 'taken', 'yes', 'NX'), await line.ask('DBSIZE'))
      }
      return answers
    }))
    // A second holder would find the mark of the first, and get null.
    expect([...new Set(marks.flat())]).toEqual(['OK', 1])
  })

  test('is empty again for the next lease', async () => {
    {
      await using leased = disposable(await lease())
      await using line = await loggedIn(leased.redis[0], leased.redis[0].learner)
      await line.ask('SET', 'left', 'behind')
    }
    await using leased = disposable(await lease())
    await using line = await loggedIn(leased.redis[0], leased.redis[0].admin)
    expect(await line.ask('DBSIZE')).toBe(0)
  })

  test('lets a learner use the data and nothing else', async () => {
    await using leased = disposable(await lease())
    const [endpoint] = leased.redis
    await using line = await loggedIn(endpoint, endpoint.learner)
    const errors = async (commands: string[]) => {
      const kinds: Record<string, string> = {}
      for (const command of commands) {
        const answer = await line.ask(...command.split(' ')).catch((error: Error) => error)
        kinds[command] = answer instanceof Error ? answer.message.split(' ')[0] : 'ok'
      }
      return kinds
    }
    expect(await errors(permitted)).toEqual(Object.fromEntries(permitted.map((command) => [command, 'ok'])))
    const answers = await errors(refused)
    // A server of ours refuses DEBUG before it looks at the user.
    if (answers['DEBUG SLEEP 0'] === 'ERR') answers['DEBUG SLEEP 0'] = 'NOPERM'
    expect(answers).toEqual(Object.fromEntries(refused.map((command) => [command, 'NOPERM'])))
    expect(await line.ask('SUBSCRIBE', 'channel')).toEqual(['subscribe', 'channel', 1])
  })

  test('is free again when the process that leased it is killed', async () => {
    const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', `
      import { acquire } from '#services/services.ts'
      await acquire({ redis: 1, kafka: false }, { kind: '${kind}' })
      console.log('leased')
      setInterval(() => {}, 1000)
    `], { stdio: ['ignore', 'pipe', 'inherit'] })
    expect(String((await once(holder.stdout, 'data'))[0]).trim()).toBe('leased')
    holder.kill('SIGKILL')
    await using leased = disposable(await lease())
    await using line = await loggedIn(leased.redis[0], leased.redis[0].admin)
    expect(await line.ask('DBSIZE')).toBe(0)
  })

  if (!canDie) return
  test('is replaced when it died, or is busy for ever, in a learner\'s hands', async () => {
    for (const end of [['SHUTDOWN', 'NOSAVE'], ['EVAL', 'while true do end', 0]]) {
      await using leased = disposable(await lease())
      await using line = await loggedIn(leased.redis[0], leased.redis[0].admin)
      expect(await line.ask('PING')).toBe('PONG')
      // Neither has an answer worth waiting for.
      line.ask(...end).catch(() => {})
    }
    await using leased = disposable(await lease())
    await using line = await loggedIn(leased.redis[0], leased.redis[0].admin)
    expect(await line.ask('PING')).toBe('PONG')
  })
}

/** A line to the leased database, as the proxies make it: SELECT is not for learners. */
export async function loggedIn(endpoint: RedisEndpoint, as: Login): Promise<Line & AsyncDisposable> {
  const line = await openLine(endpoint.address, endpoint.admin)
  await line.ask('SELECT', endpoint.database)
  if (as.username !== null) await line.ask('AUTH', as.username, as.password!)
  return { ...line, [Symbol.asyncDispose]: async () => line.close() }
}

export function disposable(lease: Lease): Lease & AsyncDisposable {
  return { ...lease, [Symbol.asyncDispose]: lease.release }
}

import type { Redis } from 'ioredis'

const END = 'the end of what is watched'

/** Names of the commands the server ran on the grader's database while `run` did, those inside scripts included. */
export async function commandsRun(redis: Redis, run: () => Promise<void>): Promise<string[]> {
  const monitor = await redis.monitor()
  try {
    const names: string[] = []
    const ended = new Promise<void>((resolve, reject) => {
      monitor.on('error', reject)
      monitor.on('monitor', (_time: string, [name, ...words]: string[], _source: string, database: string) => {
        // One server may serve several databases, and others work on theirs at the same time.
        if (words[0] === END) resolve()
        else if (Number(database) === (redis.options.db ?? 0)) names.push(String(name).toUpperCase())
      })
    })
    await run()
    // The server tells in the order in which it ran: after this one everything has been told.
    await redis.echo(END)
    await ended
    return names
  } finally {
    monitor.disconnect()
  }
}

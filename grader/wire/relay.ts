import net from 'node:net'

export type Awaitable<T> = T | Promise<T>

/** One connection of the learner's client and its counterpart to the server. */
export interface Link {
  /** Counted from 0 since the relay was opened. */
  readonly connection: number
  readonly client: net.Socket
  readonly target: net.Socket
  /** Resolves when all that the server has said so far was passed on. */
  passed: () => Promise<void>
  /** Ends both. */
  destroy(): void
  /** Something is wrong with the server, not with the learner. */
  trouble(error: Error): void
}

/** What every wire can do to its connections. */
export interface Relay {
  readonly socket: string
  /** Connections made since the wire was opened, and those open now. */
  readonly made: () => number
  readonly open: () => number
  /** Ends every connection and refuses new ones, until `up`. */
  down(): void
  up(): void
  /** Ends every connection; new ones are accepted. */
  drop(): void
  /** The error that made the server unreachable from here, if any: the grader's trouble, not the learner's. */
  readonly trouble: () => Error | null
  /** Resolves when the server, too, knows that every connection is over. */
  close(): Promise<void>
}

/** A unix socket whose every connection gets one to the server; `join` says what goes through. */
export async function openRelay(socket: string, upstream: net.NetConnectOpts, join: (link: Link) => void): Promise<Relay> {
  const links = new Set<Link>()
  const hangingUp = new Set<Promise<void>>()
  let made = 0
  let refusing = false
  let trouble: Error | null = null

  const server = net.createServer({ noDelay: true }, (client) => {
    if (refusing) return void client.destroy()
    const target = net.connect(upstream)
    target.setNoDelay(true)
    const link: Link = {
      connection: made++, client, target,
      passed: () => Promise.resolve(),
      destroy() {
        if (!links.delete(link)) return
        // What has passed the wire arrives.
        for (const socket of [client, target]) socket.uncork()
        client.destroy()
        const hungUp = hangUp(target).finally(() => hangingUp.delete(hungUp))
        hangingUp.add(hungUp)
      },
      trouble: (error) => { trouble ??= error },
    }
    links.add(link)
    client.on('error', link.destroy).on('close', link.destroy)
    target.on('error', (error) => {
      link.trouble(error)
      link.destroy()
    }).on('close', () => void link.passed().then(link.destroy))
    join(link)
  })
  const drop = (): void => { for (const link of [...links]) link.destroy() }
  const down = (): void => {
    refusing = true
    drop()
  }
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve))
  return {
    socket,
    made: () => made,
    open: () => links.size,
    down,
    up: () => { refusing = false },
    drop,
    trouble: () => trouble,
    async close() {
      down()
      await Promise.all([...hangingUp, new Promise((resolve) => server.close(resolve))])
    },
  }
}

const HANG_UP_MS = 1000

/**
 * Resolves when the server can see that the connection is over. Closing it is not enough: a process that another thread
 * is just forking has it open, too, and a call that blocks on it would take what the next check puts there.
 */
function hangUp(target: net.Socket): Promise<void> {
  target.removeAllListeners('data')
  return new Promise((resolve) => {
    if (target.destroyed) return resolve()
    const timer = setTimeout(() => target.destroy(), HANG_UP_MS)
    target.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    target.destroySoon()
  })
}

import type { Host } from '#sandbox/host.ts'
import type { Command, RedisWire } from './redis-wire.ts'

/** Commands that wait on the server by design; they hold nobody up. */
const BLOCKING = /^(B[LRZ]|BLMOVE|XREAD|XREADGROUP|WAIT)/

/**
 * How often `run` had to wait for the server: request-to-reply turnarounds seen at the wire.
 * Replies are held until both sides are idle, so that concurrent requests of one trip count once;
 * idle is what the event loops say, never a time.
 */
export async function countRoundTrips(wire: RedisWire, host: Host, run: () => Promise<unknown>): Promise<{ trips: number; commands: Command[] }> {
  const before = wire.log.length
  let trips = 0
  let burst = false
  let arrivals = 0
  let unanswered = 0
  let held: (() => void)[] = []
  let settling = false

  const settle = async (): Promise<void> => {
    if (settling) return
    settling = true
    try {
      for (;;) {
        const seen = arrivals
        await host.idle()
        await turn()
        await turn()
        if (arrivals !== seen) continue
        if (unanswered > 0) return
        burst = false
        const release = held
        held = []
        for (const go of release) go()
        return
      }
    } catch {
      // The host ended: nobody is waiting for these replies.
      for (const go of held) go()
    } finally {
      settling = false
    }
  }
  wire.gate = (command) => {
    arrivals++
    if (!burst) {
      burst = true
      trips++
    }
    if (!BLOCKING.test(command.name)) unanswered++
    return 'pass'
  }
  wire.replyGate = (command) => {
    if (BLOCKING.test(command.name)) return 'pass'
    unanswered--
    return new Promise((resolve) => {
      held.push(() => resolve('pass'))
      void settle()
    })
  }
  try {
    await run()
  } finally {
    wire.gate = null
    wire.replyGate = null
    for (const go of held) go()
  }
  return { trips, commands: wire.log.slice(before).filter((command) => !command.handshake) }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

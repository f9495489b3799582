import { openRunner, type Runner } from './runner.ts'

export interface Runners {
  /** Waits for a turn, and works with a runner that nobody else uses meanwhile; it is opened when first asked for. */
  use<T>(work: (runner: () => Promise<Runner>) => Promise<T>): Promise<T>
  /** Gets the ones that are open ready for the next work. */
  refill(): void
  close(): Promise<void>
}

/** `most` turns at once, each with a runner of its own. The first runner is opened ahead of its need. */
export function runnersAtMost(most: number): Runners {
  const places = Array.from({ length: most }, place)
  const free = [...places].reverse()
  const waiting: ((place: Place) => void)[] = []
  // Whoever uses it hears of what went wrong.
  places[0]!.runner().catch(() => {})

  return {
    async use(work) {
      const mine = free.pop() ?? await new Promise<Place>((resolve) => waiting.push(resolve))
      try {
        return await work(mine.runner)
      } finally {
        const next = waiting.shift()
        if (next) next(mine)
        else free.push(mine)
      }
    },
    refill() {
      for (const { opened } of places) void opened()?.then(({ refill }) => refill(), () => {})
    },
    async close() {
      await Promise.all(places.map(async ({ opened }) => (await opened())?.close()))
    },
  }
}

interface Place {
  runner(): Promise<Runner>
  opened(): Promise<Runner> | undefined
}

function place(): Place {
  let opened: Promise<Runner> | undefined
  return {
    async runner() {
      const before = await opened
      if (before && !before.alive()) {
        opened = undefined
        await before.close()
      }
      return (opened ??= openRunner())
    },
    opened: () => opened,
  }
}

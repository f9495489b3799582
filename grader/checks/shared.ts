/** A few things that many want, one at a time each. */
export interface Shared<T> {
  /** Waits for the next one given back where none is free, first come, first served. */
  take(): Promise<T>
  give(thing: T): void
}

export function shared<T>(things: readonly T[]): Shared<T> {
  const free = [...things]
  const waiting: ((thing: T) => void)[] = []
  return {
    take: () => (free.length > 0 ? Promise.resolve(free.pop()!) : new Promise((resolve) => { waiting.push(resolve) })),
    give(thing) {
      const next = waiting.shift()
      if (next) next(thing)
      else free.push(thing)
    },
  }
}

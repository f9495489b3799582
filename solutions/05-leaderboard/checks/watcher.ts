import { both, methods, until, type Instance } from '#checks'
import { add, numberIn } from './board.ts'

export interface Change { readonly playerId: string; readonly score: unknown }

export interface Watcher {
  /** What the listener was called with so far, as it came. */
  readonly raw: readonly unknown[]
  /** The same, with scores as numbers and without anything else. */
  heard(): Change[]
  /** Resolves when the listener has heard of a score of that player. */
  hears(playerId: string): Promise<void>
  stop(): Promise<unknown>
}

/** Watches `board`; `onChange` is awaited by nobody but told of every change at once. */
export async function watch(board: Instance, onChange: (change: Change) => void = () => {}): Promise<Watcher> {
  const raw: unknown[] = []
  const listener = async (change: unknown): Promise<void> => {
    raw.push(change)
    onChange(changeIn(change))
  }
  const { stop } = methods(await board.call('watchScores', listener), ['stop'], both('watchScores', 'watchScores'))
  const heard = (): Change[] => raw.map(changeIn)
  return {
    raw,
    heard,
    async hears(playerId) {
      await until(() => heard().some((change) => change.playerId === playerId),
        both(`the listener to hear of a score of ${playerId} that was set`, `listener nghe được điểm vừa đặt cho ${playerId}`))
    },
    stop,
  }
}

/** Players whose score is set last: whatever was announced before has then been heard. */
const LAST = 'last-'
/** Above every other: who wrongly reads the board for changes, from below, comes to it last. */
const ABOVE_ALL = 1e9
let asked = 0

/** Everything heard up to now: sets the score of one more player and waits until that is heard. */
export async function allHeard(board: Instance, watcher: Watcher): Promise<Change[]> {
  const last = `${LAST}${++asked}`
  await add(board, last, ABOVE_ALL)
  await watcher.hears(last)
  return watcher.heard().filter(({ playerId }) => !playerId.startsWith(LAST))
}

/** A short way to write them: `ann 310`. */
export const told = (changes: readonly Change[]): string[] => changes.map(({ playerId, score }) => `${playerId} ${String(score)}`)

function changeIn(value: unknown): Change {
  const { playerId, score } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Change>
  return { playerId: String(playerId), score: numberIn(score) }
}

import { both, CheckFailed, plain, shown, type Instance, type Learner } from '#checks'

export interface Place { readonly playerId: string; readonly score: number; readonly rank: number }

export const LARGEST = Number.MAX_SAFE_INTEGER

/** A board of the learner's; without a key the default one. */
export function boardOf(learner: Learner, ...key: [] | [string]): Promise<Instance> {
  return learner.make('GameLeaderboard', learner.redis, ...key)
}

export function add(board: Instance, playerId: string, score: number): Promise<unknown> {
  return board.call('addScore', playerId, score)
}

/** Sets the scores one after the other. */
export async function fill(board: Instance, scores: Readonly<Record<string, number>>): Promise<void> {
  for (const [playerId, score] of Object.entries(scores)) await add(board, playerId, score)
}

/** The rank as a number, whatever type it came as: that it must be a number is a promise of its own. */
export async function rankOf(board: Instance, playerId: string): Promise<unknown> {
  return numberIn(await board.call('getRank', playerId))
}

/** The score, likewise; 0 and −0 are one score. */
export async function scoreOf(board: Instance, playerId: string): Promise<unknown> {
  return numberIn(await board.call('getPlayerScore', playerId))
}

export async function topOf(board: Instance, ...n: [] | [number]): Promise<Place[]> {
  return placesIn(await listOf(board, 'getTopPlayers', ...n), 'getTopPlayers')
}

export async function nearbyOf(board: Instance, playerId: string, ...range: [] | [number]): Promise<Place[]> {
  return placesIn(await listOf(board, 'getNearbyPlayers', playerId, ...range), 'getNearbyPlayers')
}

/** The places as they came, be they literals or instances of a class. */
export async function listOf(board: Instance, method: 'getTopPlayers' | 'getNearbyPlayers', ...args: unknown[]): Promise<unknown> {
  return plain(await board.call(method, ...args), ['playerId', 'score', 'rank'])
}

export const names = (places: readonly Place[]): string[] => places.map(({ playerId }) => playerId)

/** A short way to write them: `ann 310 (1)`. */
export const written = (places: readonly Place[]): string[] => places.map(({ playerId, score, rank }) => `${playerId} ${score} (${rank})`)

export function numberIn(value: unknown): unknown {
  return typeof value === 'number' || (typeof value === 'string' && value !== '') ? Number(value) + 0 : value
}

/** The places with scores and ranks as numbers, and without anything else they may hold. */
function placesIn(value: unknown, method: string): Place[] {
  const places = Array.isArray(value) ? value.map(placeIn) : [undefined]
  if (places.every((place) => place !== undefined)) return places
  throw new CheckFailed(both(
    `${method} must give a list of { playerId, score, rank }; it gave ${shown(value)}.`,
    `${method} phải trả về danh sách { playerId, score, rank }; kết quả nhận được là ${shown(value)}.`),
  { expected: '[{ playerId, score, rank }, …]', got: shown(value) })
}

function placeIn(entry: unknown): Place | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined
  const { playerId, score, rank } = entry as Partial<Record<keyof Place, unknown>>
  if (playerId === undefined || score === undefined || rank === undefined) return undefined
  return { playerId: String(playerId), score: Number(score) + 0, rank: Number(rank) }
}

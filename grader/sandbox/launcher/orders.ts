/** What the launcher is told: to start this, with the next two connections as its output and its pipe. */
export interface Order {
  readonly id: number
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Whether it says on fd 4, as JSON, which process of its own is meant (`bwrap --info-fd`). */
  readonly tellsPid: boolean
}

/** What the launcher tells of what it started. */
export type News =
  | { readonly type: 'ready' }
  | { readonly type: 'started'; readonly id: number; readonly pid: number }
  | { readonly type: 'inner'; readonly id: number; readonly pid: number }
  | { readonly type: 'ended'; readonly id: number; readonly how: How | null }

/** Null in its place: it could not be started. */
export interface How { readonly code: number | null; readonly signal: NodeJS.Signals | null }

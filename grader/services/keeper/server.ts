import type { Text } from '#catalog/text.ts'

/** A running server in the keeper's hands. */
export interface Server<Endpoint> {
  readonly endpoint: Endpoint
  /** Whether it answers right now, asked at most a second. */
  isAlive(): Promise<boolean>
  /** Removes what a lease left; false when it should rather be stopped and replaced. */
  clear(): Promise<boolean>
  stop(): Promise<void>
}

export type Progress = (message: Text) => void
export type Start<Endpoint> = (onProgress: Progress) => Promise<Server<Endpoint>>

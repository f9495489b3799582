import type { Json } from './codec.ts'

/** What the grader may ask of a host. Values are `Json` of `codec.ts`. */
export interface HostFunctions {
  /** Imports the bundle afresh; returns pairs of an export and its kind. `clockShiftMs` is what Date and performance are off the machine's clock. */
  load(file: string, clockShiftMs: number): Promise<Reply>
  open(id: string, spec: ClientSpec): Promise<Reply>
  close(id: string): Promise<void>
  /** `target` null is the module; `method` null calls the target itself. */
  invoke(target: string | null, method: string | null, args: Json[]): Promise<Reply>
  construct(name: string, args: Json[]): Promise<Reply>
  read(target: string, property: string): Promise<Reply>
  /** Makes a function of the grader's source. */
  plant(source: string): Promise<Reply>
  /** Answers once the host's event loop has nothing at hand. */
  idle(): Promise<void>
  /** Closes the grader's clients, forgets everything and tells what is still alive. */
  reset(): Promise<Remains>
}

/** What a host may ask of the grader. */
export interface GraderFunctions {
  /** Calls a function that the grader handed out: a loader, a handler. */
  invoke(id: string, args: Json[]): Promise<Reply>
  unhandled(error: Json): void
}

export interface Reply {
  readonly ok: boolean
  /** Thrown before any promise was returned. */
  readonly synchronous?: boolean
  readonly value: Json
}

/** A client to build inside the host; `path` is the unix socket of its wire. */
export type ClientSpec =
  | { readonly kind: 'redis'; readonly path: string; readonly reconnects: boolean; readonly retriesPerRequest: number | null }
  | { readonly kind: 'kafka'; readonly path: string; readonly retries: number }

/** What is alive in a host after its clients were closed. */
export interface Remains {
  /** As `process.getActiveResourcesInfo()` names them. */
  readonly resources: string[]
  readonly timers: number
  /** Names added to the global object. */
  readonly globals: string[]
}

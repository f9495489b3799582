import fs from 'node:fs'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { createBirpc } from 'birpc'
import { createCodec, describeError, type ErrorFacts, type Json } from './codec.ts'
import { framed } from './frames.ts'
import { environment, launch, type Folders } from './isolation.ts'
import type { Launcher } from './launcher.ts'
import type { How } from './launcher/orders.ts'
import { signal } from './signal.ts'
import { afterServed } from './stopwatch.ts'
import type { Isolation } from '../grade.types.ts'
import type { ClientSpec, GraderFunctions, HostFunctions, Remains, Reply } from './protocol.ts'

/** Resident memory a host may use, in bytes; beyond it the process is ended. */
const MAX_RSS = 400 << 20
const MAX_OUTPUT = 64 << 10

/** An error that learner code threw, as inert data: it never carries the learner's object. */
export class LearnerError extends Error {
  readonly facts: ErrorFacts
  /** Thrown before any promise was returned. */
  synchronous = false
  /** What was called. */
  call = ''
  /** The grader's own object, when what learner code threw is one that the grader had given it. */
  readonly original: unknown
  constructor(facts: ErrorFacts, original?: unknown) {
    super(`${facts.name}: ${facts.message}`)
    this.name = 'LearnerError'
    this.facts = facts
    this.original = original
  }
}

export type EndReason = 'exited' | 'deadline' | 'memory' | 'garbage' | 'killed'

/** The learner's process ended, by itself or by the grader, while something was awaited from it. */
export class HostEnded extends Error {
  readonly reason: EndReason
  readonly lastWords: string
  constructor(reason: EndReason, detail: string, lastWords: string) {
    super(detail)
    this.name = 'HostEnded'
    this.reason = reason
    this.lastWords = lastWords
  }
}

/** A client that lives inside a host; learner functions receive the real one. */
export interface ClientHandle { readonly client: string }

/** An instance of a learner's class, which stays inside its host. */
export interface Instance {
  readonly className: string
  /** The process it lives in. */
  readonly host: Host
  call(method: string, ...args: unknown[]): Promise<unknown>
  get(property: string): Promise<unknown>
}

export interface Host {
  readonly wires: string
  readonly exports: ReadonlyMap<string, 'class' | 'function' | 'other'>
  /** What the learner's code printed, at most 64 KiB. */
  readonly output: () => string
  /** Rejections that nobody handled, since the last reset. */
  readonly unhandled: readonly LearnerError[]
  readonly alive: () => boolean
  /** Why it ended, or null while it lives. */
  readonly ended: () => EndReason | null
  /** How long a call into learner code may take before its process is ended, in milliseconds. */
  patience: () => number
  /** Imports the bundled submission `code`, afresh each time; `clockShiftMs` sets its clock so much off the machine's. */
  load(code: string, clockShiftMs?: number): Promise<void>
  openRedis(socket: string, options?: { reconnects?: boolean; retriesPerRequest?: number | null }): Promise<ClientHandle>
  openKafka(socket: string, options?: { retries?: number }): Promise<ClientHandle>
  call(name: string, ...args: unknown[]): Promise<unknown>
  construct(name: string, ...args: unknown[]): Promise<Instance>
  /** Puts a function of the grader's into the process, for what cannot cross the pipe; it needs nothing but its arguments. */
  plant(f: (...args: never[]) => unknown): Promise<(...args: unknown[]) => Promise<unknown>>
  /** Resolves when the host's event loop has nothing at hand. */
  idle(): Promise<void>
  /** Messages between grader and host so far, both ways; those of `idle` do not count. */
  exchanged(): number
  /** Gives calls that wait on purpose more time than the usual deadline, in milliseconds. */
  deadline(ms: number): void
  /** Closes its clients, forgets everything and tells what is still alive in it. */
  reset(): Promise<Remains>
  stop(): void
  cont(): void
  kill(): Promise<void>
}

/** The pipe to the grader, and the turn of the event loop in which it looked. */
const HOSTS_OWN = new Set(['PipeWrap', 'Immediate'])

/** The file a submission is imported from: stacks name it. */
const SUBMISSION = 'submission.mjs'

let clientIds = 0

const USUAL_PATIENCE_MS = 3000

/** Starts a host process and waits for nothing: its first answer comes when it is ready. */
export function startHost(launcher: Launcher, kind: Isolation, folders: Folders): Host {
  const plan = launch(kind, folders)
  const launched = launcher.launch(plan, environment)
  const output = collect(launched.output)
  const exports = new Map<string, 'class' | 'function' | 'other'>()
  const unhandled: LearnerError[] = []
  let deadlineMs = USUAL_PATIENCE_MS
  let ended: HostEnded | undefined
  let deliver: (message: unknown) => void = () => {}
  let exchanged = 0
  /** What went wrong on this side of the pipe, if anything. */
  let ownTrouble: unknown

  const end = (reason: EndReason, detail: string): void => {
    ended ??= new HostEnded(reason, detail, output().slice(-500))
    launched.kill()
  }
  const send = framed(launched.pipe, {
    message: (message) => {
      exchanged++
      deliver(message)
    },
    garbage: () => end('garbage', 'the process of the submission sent something unreadable'),
  })
  let stopWatching = (): void => {}
  void launched.ended.then((how) => {
    stopWatching()
    ended ??= new HostEnded('exited', exitSentence(how), output().slice(-500))
    rpc.$close(ended)
  })

  const functions: GraderFunctions = {
    async invoke(id, args) {
      try {
        const f = codec.local(id)
        if (typeof f !== 'function') throw new TypeError('not a function of the grader')
        return { ok: true, value: codec.encode(await (f as (...a: unknown[]) => unknown)(...args.map((a) => codec.decode(a)))) }
      } catch (error) {
        return { ok: false, value: codec.encode(error) }
      }
    },
    unhandled(json) {
      // What a function of the grader rejected with comes home as it was; that nobody handled it is the learner's.
      const error = decodeSafely(json)
      if (unhandled.length < 20) unhandled.push(error instanceof LearnerError ? error : thrownByLearner(error))
    },
  }
  const rpc = createBirpc<HostFunctions, GraderFunctions>(functions, {
    post: (message) => {
      exchanged++
      try {
        send(message)
      } catch (error) {
        ownTrouble = error
        throw error
      }
    },
    on: (listener) => { deliver = listener },
    timeout: -1,
    resolver: (name, f) => (Object.hasOwn(functions, name) ? f : undefined),
  })

  /** Learner code can write to the pipe too: what no host says by itself comes from there, and is no trouble of the grader's. */
  const refuse = (): never => {
    end('garbage', 'the process of the submission sent an answer that no host gives')
    throw ended
  }
  /** Awaits an answer of the host, for at most the deadline; a host that does not answer, or not so, is ended. */
  const answered = async <T>(reply: Promise<T>, what: string, isOne: (answer: unknown) => boolean): Promise<T> => {
    if (ended) {
      reply.catch(() => {})
      throw ended
    }
    const limit = deadlineMs
    const stop = afterServed(limit, () => end('deadline', `${what} did not settle within ${limit / 1000} s`))
    try {
      const answer = await reply
      return isOne(answer) ? answer : refuse()
    } catch (error) {
      if (ended) throw ended
      if (error === ownTrouble) throw error
      return refuse()
    } finally {
      stop()
    }
  }
  const result = async (reply: Promise<Reply>, call: string): Promise<unknown> => {
    const { ok, value, synchronous } = await answered(reply, call, isReply)
    const decoded = decodeSafely(value)
    if (ok) return decoded
    const error = decoded instanceof LearnerError ? decoded : thrownByLearner(decoded)
    error.synchronous = synchronous === true
    error.call = call
    throw error
  }
  const decodeSafely = (json: Json): unknown => {
    try {
      return codec.decode(json)
    } catch {
      end('garbage', 'the process of the submission sent a value that cannot be read')
      throw ended
    }
  }
  const codec = createCodec({
    side: 'g',
    clients: { idOf: (object) => ('client' in object && handles.has(object) ? (object.client as string) : undefined), byId: () => undefined },
    remoteFunction: (id, name, owner) => async (...args: unknown[]) =>
      result(rpc.invoke(owner?.id ?? id, owner?.key ?? null, args.map((a) => codec.encode(a))), name || 'callback'),
    remoteInstance(id, className): Instance {
      const instance: Instance = {
        className,
        host,
        call: async (method, ...args) => result(rpc.invoke(id, method, args.map((a) => codec.encode(a))), method),
        get: async (property) => result(rpc.read(id, property), property),
      }
      instances.add(instance)
      return instance
    },
    remoteError: (_id, facts) => new LearnerError(facts),
  })
  const handles = new WeakSet<object>()
  const instances = new WeakSet<object>()
  const isInstance = (value: unknown): value is Instance => typeof value === 'object' && value !== null && instances.has(value)
  const open = async (spec: ClientSpec): Promise<ClientHandle> => {
    const handle = { client: `client-${++clientIds}` }
    handles.add(handle)
    await result(rpc.open(handle.client, spec), 'connecting')
    return handle
  }
  const inside = (socket: string): string => path.join(plan.inside.wires, path.basename(socket))

  const host: Host = {
    wires: folders.wires,
    exports,
    output,
    unhandled,
    alive: () => ended === undefined,
    ended: () => ended?.reason ?? null,
    patience: () => USUAL_PATIENCE_MS,
    async load(code, clockShiftMs = 0) {
      fs.writeFileSync(path.join(folders.submission, SUBMISSION), code)
      await launched.known
      deadlineMs = host.patience()
      stopWatching()
      stopWatching = watchMemory(launched.pid(), () => end('memory', `the process of the submission used more than ${MAX_RSS >> 20} MB of memory`))
      const found = await result(rpc.load(`${plan.inside.submission}/${SUBMISSION}`, clockShiftMs), 'importing the file')
      if (!areExports(found)) return refuse()
      exports.clear()
      for (const [name, kind] of found) exports.set(name, kind)
    },
    openRedis: (socket, { reconnects = true, retriesPerRequest = 20 } = {}) =>
      open({ kind: 'redis', path: inside(socket), reconnects, retriesPerRequest }),
    openKafka: (socket, { retries = 5 } = {}) => open({ kind: 'kafka', path: inside(socket), retries }),
    call: async (name, ...args) => result(rpc.invoke(null, name, args.map((a) => codec.encode(a))), name),
    async construct(name, ...args) {
      const instance = await result(rpc.construct(name, args.map((a) => codec.encode(a))), `new ${name}`)
      return isInstance(instance) ? instance : refuse()
    },
    async plant(f) {
      const planted = await result(rpc.plant(f.toString()), 'a function of the grader')
      return typeof planted === 'function' ? planted as (...args: unknown[]) => Promise<unknown> : refuse()
    },
    async idle() {
      await answered(rpc.idle(), 'the event loop', () => true)
      exchanged -= 2
    },
    exchanged: () => exchanged,
    deadline: (ms) => { deadlineMs = ms },
    async reset() {
      deadlineMs = host.patience()
      const { resources, timers, globals } = await answered(rpc.reset(), 'cleaning up', areRemains)
      codec.clear()
      unhandled.length = 0
      return { resources: resources.filter((name) => !HOSTS_OWN.has(name)), timers, globals }
    },
    stop: () => signal(launched.pid()!, 'SIGSTOP'),
    cont: () => signal(launched.pid()!, 'SIGCONT'),
    async kill() {
      ended ??= new HostEnded('killed', 'the grader ended the process', '')
      launched.kill()
      await launched.ended
      fs.rmSync(path.dirname(folders.wires), { recursive: true, force: true })
    },
  }
  return host
}

const isReply = (answer: unknown): boolean => isObject(answer) && typeof answer.ok === 'boolean'

const areRemains = (answer: unknown): boolean =>
  isObject(answer) && areStrings(answer.resources) && typeof answer.timers === 'number' && areStrings(answer.globals)

const areExports = (value: unknown): value is [string, 'class' | 'function' | 'other'][] =>
  Array.isArray(value) && value.every((pair) => Array.isArray(pair) && typeof pair[0] === 'string' && ['class', 'function', 'other'].includes(pair[1] as string))

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const areStrings = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string')

function collect(output: Readable): () => string {
  let text = ''
  output.on('data', (chunk: Buffer) => { if (text.length < MAX_OUTPUT) text += chunk.toString('utf8', 0, MAX_OUTPUT - text.length) })
  // Where it had to be cut, it ends with a whole line, so that lines can still be recognised.
  return () => (text.length < MAX_OUTPUT ? text : text.slice(0, text.lastIndexOf('\n') + 1) || text)
}

/** Looks ten times a second, for as long as the process lives or until it is told to stop. */
function watchMemory(pid: number | undefined, exceeded: () => void): () => void {
  if (process.platform !== 'linux' || pid === undefined) return () => {}
  let statm: number | null
  try {
    // Held open, a look is one short call; as a file read anew it keeps the thread pool busy.
    statm = fs.openSync(`/proc/${pid}/statm`, 'r')
  } catch {
    return () => {}
  }
  const text = Buffer.alloc(128)
  const stop = (): void => {
    clearInterval(timer)
    if (statm !== null) fs.closeSync(statm)
    statm = null
  }
  const timer = setInterval(() => {
    try {
      const length = fs.readSync(statm!, text, 0, text.length, 0)
      if (Number(text.toString('latin1', 0, length).split(' ')[1]) * 4096 > MAX_RSS) exceeded()
    } catch {
      stop()
    }
  }, 100)
  timer.unref()
  return stop
}

function exitSentence(how: How | null): string {
  if (!how) return 'the process of the submission could not be started'
  return `the process of the submission ended by itself (${how.signal ?? `exit code ${how.code}`})`
}

/** Something else than an error of the learner's process: an error of the grader's own, or no error at all. */
function thrownByLearner(value: unknown): LearnerError {
  return new LearnerError(value instanceof Error ? describeError(value) : thrownValue(value), value)
}

function thrownValue(value: unknown): ErrorFacts {
  return { name: 'NotAnError', message: `threw ${String(value).slice(0, 200)}, which is not an Error`, stack: '', classes: [], code: null }
}

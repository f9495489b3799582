/**
 * The program around a learner's module. It runs inside the sandbox, alone: it loads the bundle, builds the clients
 * that the grader names, calls what it is told to call and answers on the pipe. It decides nothing:
 * counts come from the wires and verdicts from the grader, which takes an answer for what learner code may have made of it.
 *
 * What stands outside `start` happens once, when the heap snapshot is made that hosts start from (`image.ts`):
 * nothing there may touch a handle, a clock, the environment or anything else of one process.
 */
import net from 'node:net'
import v8 from 'node:v8'
import vm from 'node:vm'
import { createBirpc } from 'birpc'
import { createCodec, type Codec } from '../codec.ts'
import { framed } from '../frames.ts'
import type { ClientSpec, GraderFunctions, HostFunctions, Reply } from '../protocol.ts'
import { closeClient, openClient } from './clients.ts'
import { lendLibraries } from './libraries.ts'
import { addedGlobals, harden, pendingTimers, setClock } from './surroundings.ts'

// Taken before learner code can put something else in their place. Called under another name, eval sees globals only.
const { eval: evaluate, setImmediate: later, Promise: Promised } = globalThis

const turn = (): Promise<void> => new Promised((resolve) => { later(resolve) })

// Loaded when it is first touched, and every host's clock touches it (`setClock`): it is part of the snapshot.
void performance.now()
lendLibraries()
if (v8.startupSnapshot.isBuildingSnapshot()) {
  v8.startupSnapshot.setDeserializeMainFunction(start)
  // The snapshot is made eagerly (`image.ts`) and read by hosts that are not: it belongs to the flags of its last moment.
  v8.setFlagsFromString('--lazy')
} else {
  start()
}

function start(): void {
  harden()
  const clients = new Map<string, object>()
  const idOfClient = new WeakMap<object, string>()
  const importFile = importer()
  let module: object = {}
  let loads = 0
  let deliver: (message: unknown) => void = () => {}

  const pipe = new net.Socket({ fd: 3, readable: true, writable: true })
  const send = framed(pipe, { message: (message) => deliver(message), garbage: () => process.exit(70) })
  pipe.on('close', () => process.exit(0))

  const functions: HostFunctions = {
    load(file, clockShiftMs) {
      return answer(codec, async () => {
        setClock(clockShiftMs)
        module = await importFile(`${file}?${++loads}`)
        return Object.entries(module).map(([name, value]) => [name, kindOf(value)])
      })
    },
    open(id: string, spec: ClientSpec) {
      return answer(codec, async () => {
        const client = await openClient(spec)
        clients.set(id, client)
        idOfClient.set(client, id)
      })
    },
    async close(id) {
      const client = clients.get(id)
      clients.delete(id)
      if (client) await closeClient(client)
    },
    async invoke(target, method, args) {
      return answer(codec, () => {
        const values = args.map((arg) => codec.decode(arg))
        const owner = target === null ? module : codec.local(target)
        if (method === null) return (owner as (...values: unknown[]) => unknown)(...values)
        const f = (owner as Record<string, unknown>)[method]
        if (typeof f !== 'function') throw new TypeError(`${method} is not a function`)
        return Reflect.apply(f, owner, values) as unknown
      })
    },
    async construct(name, args) {
      return answer(codec, () => {
        const values = args.map((arg) => codec.decode(arg))
        return new (module as Record<string, new (...values: unknown[]) => object>)[name]!(...values)
      })
    },
    async read(target, property) {
      return answer(codec, () => (codec.local(target) as Record<string, unknown>)[property])
    },
    async plant(source) {
      return answer(codec, () => evaluate(`(${source})`) as unknown)
    },
    async idle() {
      // Two turns: what the first one's callbacks start (a write to a socket) is done by the second.
      await turn()
      await turn()
    },
    async reset() {
      await Promise.all([...clients.values()].map(closeClient))
      clients.clear()
      codec.clear()
      module = {}
      await turn()
      await turn()
      return { resources: process.getActiveResourcesInfo(), timers: pendingTimers(), globals: addedGlobals() }
    },
  }

  const rpc = createBirpc<GraderFunctions, HostFunctions>(functions, {
    post: (message) => send(message),
    on: (listener) => { deliver = listener },
    timeout: -1,
  })

  const codec: Codec = createCodec({
    side: 'h',
    clients: { idOf: (value) => idOfClient.get(value), byId: (id) => clients.get(id) },
    remoteFunction: (id) => async (...args: unknown[]) => unwrap(codec, await rpc.invoke(id, args.map((arg) => codec.encode(arg, true)))),
    remoteInstance: (_id, className) => ({ className }),
    remoteError(_id, facts) {
      const error = new (standardErrors.get(facts.name) ?? Error)(facts.message)
      error.name = facts.name
      return error
    },
  })

  process.on('unhandledRejection', (reason) => {
    void rpc.$callEvent('unhandled', codec.encode(reason instanceof Error ? reason : new Error(String(reason))))
  })
}

/** Code out of a snapshot has no `import()` of its own: this borrows the one of the process that came out of it. */
function importer(): (file: string) => Promise<object> {
  return vm.runInThisContext('(file) => import(file)', {
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }) as (file: string) => Promise<object>
}

/** Libraries and learners tell these apart: kafkajs, for one, never retries them. */
const standardErrors = new Map<string, ErrorConstructor>([TypeError, RangeError, SyntaxError, ReferenceError].map((E) => [E.name, E]))

/** Runs learner code; a throw before it returned anything is told apart from a rejection. */
async function answer(codec: Codec, run: () => unknown): Promise<Reply> {
  let returned = false
  try {
    const result = run()
    returned = true
    return { ok: true, value: codec.encode(await result) }
  } catch (error) {
    try {
      return { ok: false, synchronous: !returned, value: codec.encode(error) }
    } catch {
      return { ok: false, value: codec.encode(new Error('an error that cannot be described')) }
    }
  }
}

function unwrap(codec: Codec, reply: Reply): unknown {
  const value = codec.decode(reply.value)
  if (reply.ok) return value
  throw value
}

function kindOf(value: unknown): 'class' | 'function' | 'other' {
  if (typeof value !== 'function') return 'other'
  return /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'function'
}

/**
 * The thread in which checks run: started once and kept, so that a second run finds the suite loaded and processes for
 * the submission waiting. It speaks Vitest's protocol for pool workers (https://vitest.dev/guide/advanced/pool), and
 * answers `refill` and `close` itself.
 */
import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { startHosts, type ThreadConfig } from '#checks/hosts.ts'

const port = parentPort!
// Vitest puts one in its place that refuses.
const { exit } = process
enableCompileCache(process.env.NODE_COMPILE_CACHE)
const starting = startHosts(workerData as ThreadConfig)
const { init, runBaseTests, setupEnvironment } = await import('vitest/worker')
const hosts = await starting
// Nobody can be called any more, and nobody has failed: whoever keeps the thread starts another one.
void hosts.lost.then(() => exit(1))
init({
  post: (response) => port.postMessage(response),
  on: (listener) => port.on('message', listener),
  off: (listener) => port.off('message', listener),
  runTests: (state, traces) => runBaseTests('run', state, traces),
  collectTests: (state, traces) => runBaseTests('collect', state, traces),
  setup: setupEnvironment,
})
port.on('message', (message: unknown) => {
  if (message === 'refill') hosts.refill()
  if (message === 'close') void hosts.close().finally(() => exit(0))
})

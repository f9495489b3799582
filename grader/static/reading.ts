import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Submission } from '#catalog/submission.ts'
import type { Text } from '#catalog/text.ts'
import { afterServed } from '#sandbox/stopwatch.ts'
import { remember } from './cache.ts'
import { ourFault, type BundleResult, type Findings, type WorkerMessage } from './findings.ts'
import { kill, startIsolated } from './isolate.ts'
import { watchMemory } from './watchdog.ts'
import { inWorkspace } from './workspace.ts'

/** What a worker finds out about one submission. Rejects only when the kit misses a tool. */
export interface Reading {
  /** Null when the worker ended before it had one. */
  readonly bundle: Promise<BundleResult | null>
  readonly untouched: Promise<boolean>
  readonly findings: Promise<Findings | null>
  /** Why the worker was stopped, or null when it ended by itself. */
  readonly gaveUp: Promise<Text | null>
}

const deadlineMs = 20_000
const memoryBytes = 1_200_000_000

/** Starts one worker that reads all of them; what it concludes is remembered. In the order of the submissions. */
export function readInWorker(submissions: readonly Submission[]): Reading[] {
  const readers = submissions.map(readerOf)
  runWorker(submissions, (message) => readers[message.of]!.listen(message)).then(
    (reason) => readers.forEach(({ end }) => end(reason)),
    (error: unknown) => readers.forEach(({ fail }) => fail(error)),
  )
  return readers.map(({ reading }) => reading)
}

function readerOf(submission: Submission) {
  const bundle = Promise.withResolvers<BundleResult | null>()
  const untouched = Promise.withResolvers<boolean>()
  const findings = Promise.withResolvers<Findings | null>()
  const stopped = Promise.withResolvers<Text | null>()
  const told: { bundle?: BundleResult; untouched?: boolean; findings?: Findings } = {}

  const listen = (message: WorkerMessage): void => {
    Object.assign(told, message)
    if (message.type === 'bundle') bundle.resolve(message.bundle)
    if (message.type === 'untouched') untouched.resolve(message.untouched)
    if (message.type === 'findings') findings.resolve(message.findings)
  }
  const end = (reason: Text | null): void => {
    bundle.resolve(null)
    untouched.resolve(false)
    findings.resolve(null)
    stopped.resolve(reason)
    const { bundle: result, findings: found = null } = told
    if (result && (found || result.state === 'broken')) {
      remember(submission, { bundle: result, untouched: told.untouched ?? false, findings: found })
    }
  }
  const fail = (error: unknown): void => {
    for (const part of [bundle, untouched, findings, stopped]) part.reject(error)
  }
  // Whoever waits for any of them hears of it; nobody has to wait for all.
  for (const part of [bundle, untouched, findings, stopped]) part.promise.catch(() => {})
  const reading: Reading = { bundle: bundle.promise, untouched: untouched.promise, findings: findings.promise, gaveUp: stopped.promise }
  return { reading, listen, end, fail }
}

/** Resolves when the worker is gone, with the reason if it had to be stopped. */
function runWorker(submissions: readonly Submission[], listen: (message: WorkerMessage) => void): Promise<Text | null> {
  return inWorkspace(submissions, async (workspace) => supervise(await startIsolated('worker.ts', workspace), listen))
}

function supervise(child: ChildProcess, listen: (message: WorkerMessage) => void): Promise<Text | null> {
  return new Promise((resolve, reject) => {
    let reason: Text | null = null
    const stop = (why: Text) => {
      reason = why
      kill(child)
    }
    const callOff = afterServed(deadlineMs, () => stop(tookTooLong))
    const memory = watchMemory(child.pid!, memoryBytes, () => stop(tookTooMuch))
    createInterface({ input: child.stdout! }).on('line', (line) => listen(JSON.parse(line) as WorkerMessage))
    let lastWords = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (lastWords = (lastWords + text).slice(-2000)))
    child.once('error', reject)
    child.once('close', (code) => {
      callOff()
      memory.stop()
      const cannotRun = code === ourFault || lastWords.startsWith('bwrap:')
      if (cannotRun) reject(new Error(`The static checks cannot run: ${lastWords}`))
      else resolve(reason)
    })
  })
}

const tookTooLong: Text = {
  en: `The compiler gave up on this file after ${deadlineMs / 1000} seconds: some type is too hard to work out.`,
  vi: `Trình biên dịch bỏ cuộc sau ${deadlineMs / 1000} giây: có kiểu quá phức tạp để suy ra.`,
}

const tookTooMuch: Text = {
  en: 'The compiler gave up on this file: it needed more than 1.2 GB of memory. Some type is too hard to work out.',
  vi: 'Trình biên dịch bỏ cuộc: file này cần hơn 1,2 GB bộ nhớ. Có kiểu quá phức tạp để suy ra.',
}

import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Exercise } from '#catalog/exercise.ts'
import type { Submission } from '#catalog/submission.ts'
import type { Text } from '#catalog/text.ts'
import { afterServed } from '#sandbox/stopwatch.ts'
import type { Outcome } from '#scoring/outcome.ts'
import { cached, remember, type Conclusion } from './cache.ts'
import { ourFault, type Bundle, type BundleResult, type Findings, type WorkerMessage } from './findings.ts'
import { kill, startIsolated } from './isolate.ts'
import { brokenBy, brokeTheCompiler, gaveUp, missingExports, outcomesOf } from './outcomes.ts'
import { watchMemory } from './watchdog.ts'
import { inWorkspace } from './workspace.ts'

/** What the text of a submission tells. Only a kit that misses a tool makes the promises reject; no submission can. */
export interface Analysis {
  /** First: everything else waits for it. */
  readonly bundle: Promise<Bundle>
  /** Whether it is still the stub. Follows the bundle within milliseconds. */
  readonly untouched: Promise<boolean>
  /** The common checks that need no server, in the rubric's order; empty when the bundle is broken. */
  readonly outcomes: Promise<readonly Outcome[]>
}

const deadlineMs = 20_000
const memoryBytes = 1_200_000_000

/** Starts reading a submission; what is known is told as early as it is known. */
export function analyse(submission: Submission, exercise: Exercise): Analysis {
  const started = performance.now()
  const known = cached(submission)
  const parts = known ? settled(known) : readInWorker(submission)
  const bundle = parts.bundle.then((result) => worded(result, submission, exercise))
  const outcomes = Promise.all([bundle, parts.findings, parts.gaveUp]).then(([{ state }, findings, reason]) => {
    const durationMs = Math.round(performance.now() - started)
    if (state === 'broken') return []
    return findings ? outcomesOf(exercise, findings, durationMs) : gaveUp(exercise, reason ?? crashed, durationMs)
  })
  for (const part of [bundle, outcomes]) part.catch(() => {})
  return { bundle, untouched: parts.untouched, outcomes }
}

interface Parts {
  /** Null when the worker ended before it had one. */
  readonly bundle: Promise<BundleResult | null>
  readonly untouched: Promise<boolean>
  readonly findings: Promise<Findings | null>
  /** Why the worker was stopped, or null when it ended by itself. */
  readonly gaveUp: Promise<Text | null>
}

function readInWorker(submission: Submission): Parts {
  const bundle = Promise.withResolvers<BundleResult | null>()
  const untouched = Promise.withResolvers<boolean>()
  const findings = Promise.withResolvers<Findings | null>()
  const stopped = Promise.withResolvers<Text | null>()
  const told: { bundle?: BundleResult; untouched?: boolean; findings?: Findings } = {}

  const listen = (message: WorkerMessage) => {
    Object.assign(told, message)
    if (message.type === 'bundle') bundle.resolve(message.bundle)
    if (message.type === 'untouched') untouched.resolve(message.untouched)
    if (message.type === 'findings') findings.resolve(message.findings)
  }
  const end = (reason: Text | null) => {
    bundle.resolve(null)
    untouched.resolve(false)
    findings.resolve(null)
    stopped.resolve(reason)
    const { bundle: result, findings: found = null } = told
    if (result && (found || result.state === 'broken')) {
      remember(submission, { bundle: result, untouched: told.untouched ?? false, findings: found })
    }
  }
  const fail = (error: unknown) => {
    for (const part of [bundle, untouched, findings, stopped]) part.reject(error)
  }
  // Whoever waits for any of them hears of it; nobody has to wait for all.
  for (const part of [bundle, untouched, findings, stopped]) part.promise.catch(() => {})
  runWorker(submission, listen).then(end, fail)
  return { bundle: bundle.promise, untouched: untouched.promise, findings: findings.promise, gaveUp: stopped.promise }
}

function settled({ bundle, untouched, findings }: Conclusion): Parts {
  return {
    gaveUp: Promise.resolve(null),
    bundle: Promise.resolve(bundle),
    untouched: Promise.resolve(untouched),
    findings: Promise.resolve(findings),
  }
}

/** Resolves when the worker is gone, with the reason if it had to be stopped. */
function runWorker(submission: Submission, listen: (message: WorkerMessage) => void): Promise<Text | null> {
  return inWorkspace(submission, async (workspace) => {
    const child = await startIsolated('worker.ts', workspace, [submission.entry])
    return await supervise(child, listen)
  })
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

function worded(result: BundleResult | null, { entry }: Submission, exercise: Exercise): Bundle {
  if (!result) return brokeTheCompiler
  if (result.state === 'broken') return brokenBy(result.diagnostics, entry)
  return missingExports(exercise, result.exports, entry) ?? result
}

const tookTooLong: Text = {
  en: `The compiler gave up on this file after ${deadlineMs / 1000} seconds: some type is too hard to work out.`,
  vi: `Trình biên dịch bỏ cuộc sau ${deadlineMs / 1000} giây: có kiểu quá phức tạp để suy ra.`,
}

const tookTooMuch: Text = {
  en: 'The compiler gave up on this file: it needed more than 1.2 GB of memory. Some type is too hard to work out.',
  vi: 'Trình biên dịch bỏ cuộc: file này cần hơn 1,2 GB bộ nhớ. Có kiểu quá phức tạp để suy ra.',
}

const crashed: Text = {
  en: 'The compiler or the linter broke on this file. Is something nested very deeply?',
  vi: 'Trình biên dịch hoặc linter bị lỗi khi đọc file này. Có đoạn nào lồng nhau quá sâu không?',
}

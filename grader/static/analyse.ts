import type { Exercise } from '#catalog/exercise.ts'
import type { Submission } from '#catalog/submission.ts'
import type { Text } from '#catalog/text.ts'
import type { Outcome } from '#scoring/outcome.ts'
import { cached, type Conclusion } from './cache.ts'
import type { Bundle, BundleResult } from './findings.ts'
import { brokenBy, brokeTheCompiler, gaveUp, missingExports, outcomesOf } from './outcomes.ts'
import { readInWorker, type Reading } from './reading.ts'

/** What the text of a submission tells. Only a kit that misses a tool makes the promises reject; no submission can. */
export interface Analysis {
  /** First: everything else waits for it. */
  readonly bundle: Promise<Bundle>
  /** Whether it is still the stub. Follows the bundle within milliseconds. */
  readonly untouched: Promise<boolean>
  /** The common checks that need no server, in the rubric's order; empty when the bundle is broken. */
  readonly outcomes: Promise<readonly Outcome[]>
}

/** Starts reading a submission; what is known is told as early as it is known. */
export function analyse(submission: Submission, exercise: Exercise): Analysis {
  const started = performance.now()
  const known = cached(submission)
  const reading = known ? settled(known) : readInWorker([submission])[0]!
  const bundle = reading.bundle.then((result) => worded(result, submission, exercise))
  const outcomes = Promise.all([bundle, reading.findings, reading.gaveUp]).then(([{ state }, findings, reason]) => {
    const durationMs = Math.round(performance.now() - started)
    if (state === 'broken') return []
    return findings ? outcomesOf(exercise, findings, durationMs) : gaveUp(exercise, reason ?? crashed, durationMs)
  })
  for (const part of [bundle, outcomes]) part.catch(() => {})
  return { bundle, untouched: reading.untouched, outcomes }
}

/**
 * Reads many submissions in one process, so that `analyse` knows them afterwards: the compiler starts once for all.
 * Not for strangers' code: what breaks the compiler takes the others along. They are then read one by one.
 */
export async function readAhead(submissions: readonly Submission[]): Promise<void> {
  const unknown = submissions.filter((submission) => !cached(submission))
  if (unknown.length > 0) await Promise.all(readInWorker(unknown).map(({ gaveUp }) => gaveUp))
}

function settled({ bundle, untouched, findings }: Conclusion): Reading {
  return {
    gaveUp: Promise.resolve(null),
    bundle: Promise.resolve(bundle),
    untouched: Promise.resolve(untouched),
    findings: Promise.resolve(findings),
  }
}

function worded(result: BundleResult | null, { entry }: Submission, exercise: Exercise): Bundle {
  if (!result) return brokeTheCompiler
  if (result.state === 'broken') return brokenBy(result.diagnostics, entry)
  return missingExports(exercise, result.exports, entry) ?? result
}

const crashed: Text = {
  en: 'The compiler or the linter broke on this file. Is something nested very deeply?',
  vi: 'Trình biên dịch hoặc linter bị lỗi khi đọc file này. Có đoạn nào lồng nhau quá sâu không?',
}

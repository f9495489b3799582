/**
 * Prints the one line that sums up a run: node sum.ts REPORT FAILED_STEPS, where REPORT is Vitest's JSON report, or a
 * path where none was written, and FAILED_STEPS how many commands failed.
 */
import { existsSync, readFileSync } from 'node:fs'

interface VitestReport {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { status: string; assertionResults: unknown[] }[]
}

const [path = '', failedSteps = '0'] = process.argv.slice(2)
const report = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) as VitestReport : null
// A file that does not even load has no tests to count, and must not look like a success.
const brokenFiles = report?.testResults.filter(({ status, assertionResults }) =>
  status === 'failed' && assertionResults.length === 0).length ?? 0
const failedTests = (report?.numFailedTests ?? 0) + brokenFiles
// The step that ran the tests has failed because of them: it counts once.
const otherSteps = Math.max(0, Number(failedSteps) - (failedTests > 0 ? 1 : 0))
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)
const line = `${report?.numPassedTests ?? 0} passed, ${failedTests + otherSteps} failed`
console.log(skipped > 0 ? `${line}, ${skipped} skipped` : line)

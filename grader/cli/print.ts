import type { Lang } from '#catalog/text.ts'
import { buildReport } from '#report/build.ts'
import type { Screen } from '#report/layout.ts'
import type { Report } from '#report/schema.ts'
import type { Result } from './grading.ts'
import type { GradingOptions } from './options.ts'

/** Prints the reports, as JSON or drawn for the terminal, and resolves to the exit code they mean. */
export async function print(
  results: readonly Result[],
  { json, lang }: GradingOptions,
  draw: (report: Report, screen: Screen) => string,
): Promise<number> {
  const reports = results.map(({ submission, graded }) => ({ submission, report: buildReport(graded, lang) }))
  if (json) {
    const { asJson } = await import('#report/json.ts')
    process.stdout.write(asJson(reports.map(({ submission, report }) => ({ submission: submission ?? '', report }))))
  } else {
    const { drawFooter } = await import('#report/footer.ts')
    const screen = await screenOf(lang)
    for (const { submission, report } of reports) {
      const head = reports.length > 1 ? `\n── ${submission} ──\n` : ''
      process.stdout.write(`${head}${draw(report, screen)}\n${drawFooter(report, screen)}`)
    }
  }
  return exitCodeOf(reports.map(({ report }) => report))
}

/** 0: all that was asked for passed. 1: graded, and something did not. 3: something could not be graded. */
export function exitCodeOf(reports: readonly Report[]): 0 | 1 | 3 {
  const exercises = reports.flatMap((report) => report.exercises)
  if (exercises.some(({ state }) => state === 'not-graded')) return 3
  const allPassed = exercises.every(
    ({ state, checks }) =>
      state === 'graded' &&
      checks.every(({ verdict, blockedBy }) => verdict === 'pass' || (verdict === 'skipped' && blockedBy === null)),
  )
  return allPassed ? 0 : 1
}

/** The terminal that stdout is, or a plain page of 80 columns when it is none. */
async function screenOf(lang: Lang): Promise<Screen> {
  const { default: picocolors } = await import('picocolors')
  const { isTTY, columns } = process.stdout
  const colored = Boolean(isTTY) && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
  const width = Math.min(110, Math.max(60, (isTTY && columns) || 80))
  return { lang, width, colors: picocolors.createColors(colored) }
}

import type { Report, Reports } from './schema.ts'

/** One submission is a report, several are reports: exactly one JSON document, with a line break at its end. */
export function asJson(reports: readonly { readonly submission: string; readonly report: Report }[]): string {
  const [only, ...more] = reports
  const document: Report | Reports =
    only && more.length === 0
      ? only.report
      : {
          schema: 'redis-kafka-kit/reports@1',
          reports: reports.map(({ submission, report }) => ({ submission, ...report })),
        }
  return JSON.stringify(document, null, 2) + '\n'
}

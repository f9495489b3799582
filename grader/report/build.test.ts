import { expect, test } from 'vitest'
import { samples } from '../../fixtures/golden/samples.ts'
import { buildReport } from './build.ts'
import { asJson } from './json.ts'
import { reportSchema, reportsSchema } from './schema.ts'

test.each(Object.entries(samples))('%s is a report of the published schema', (_, graded) => {
  for (const lang of ['en', 'vi'] as const) {
    const report = buildReport([graded], lang)
    expect(reportSchema.parse(JSON.parse(asJson([{ submission: '', report }])))).toEqual(report)
  }
})

test('one submission is a report, several are reports in the order given', () => {
  const report = buildReport([samples.perfect!], 'en')
  const two = JSON.parse(asJson([{ submission: 'b', report }, { submission: 'a', report }])) as unknown
  expect(reportsSchema.parse(two).reports.map(({ submission }) => submission)).toEqual(['b', 'a'])
})

test('the keys stand in the order the contract shows', () => {
  const report = buildReport([samples.interleaving!], 'en')
  expect(Object.keys(report).join(' ')).toBe('schema exercises skills courseLevel total services isolation kit')
  expect(Object.keys(report.exercises[0]!).join(' ')).toBe(
    'number slug state level score durationMs message criteria checks',
  )
  expect(Object.keys(report.exercises[0]!.checks[0]!).join(' ')).toBe(
    'id title level criterion skills weight points possible verdict message evidence blockedBy durationMs',
  )
})

test('the total is the mean of what has a score', () => {
  const all = [samples.perfect!, samples.untouched!, samples['not-graded']!]
  expect(buildReport(all, 'en').total).toEqual({ score: 50, possible: 100 })
  expect(buildReport([samples['not-graded']!], 'en').total.score).toBeNull()
})

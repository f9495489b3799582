import { join } from 'node:path'
import picocolors from 'picocolors'
import { expect, test } from 'vitest'
import { kitFolder } from '#catalog/exercise.ts'
import type { Lang } from '#catalog/text.ts'
import { exercise, samples } from '../../fixtures/golden/samples.ts'
import { buildReport } from './build.ts'
import type { Screen } from './layout.ts'
import { drawOverview } from './overview.ts'
import { drawExercise } from './terminal.ts'

const golden = join(kitFolder, 'fixtures', 'golden')

const cases = Object.keys(samples).flatMap((name) => (['en', 'vi'] as const).map((lang) => [name, lang] as const))

test.each(cases)('%s in %s is the screen that was agreed on', async (name, lang) => {
  await expect(draw(name, screen(lang))).toMatchFileSnapshot(join(golden, `${name}.${lang}.txt`))
})

test.each(['en', 'vi'] as const)('the overview in %s is the screen that was agreed on', async (lang) => {
  const graded = [samples.interleaving!, samples.untouched!, samples.perfect!, samples['not-graded']!]
  const text = drawOverview(buildReport(graded, lang), [exercise], screen(lang))
  await expect(text).toMatchFileSnapshot(join(golden, `overview.${lang}.txt`))
})

test.each(cases)('%s in %s fits 60 columns and says the same in colour', (name, lang) => {
  const narrow = draw(name, screen(lang, { width: 60 }))
  for (const line of narrow.split('\n')) expect(line.length, line).toBeLessThanOrEqual(60)
  const colored = draw(name, screen(lang, { colors: picocolors.createColors(true) }))
  expect(colored).not.toBe(draw(name, screen(lang)))
  expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(draw(name, screen(lang)))
})

test("a learner's control characters do not reach the terminal", () => {
  const text = draw('values', screen('en'))
  expect(text).toContain('50 admissions\\u001b[2J')
  expect(text).not.toContain('\u001b')
})

function draw(name: string, on: Screen): string {
  const report = buildReport([samples[name]!], on.lang).exercises[0]!
  return drawExercise(report, exercise, on)
}

function screen(lang: Lang, changes: Partial<Screen> = {}): Screen {
  return { lang, width: 80, colors: picocolors.createColors(false), ...changes }
}

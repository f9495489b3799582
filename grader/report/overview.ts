import type { Exercise } from '#catalog/exercise.ts'
import { levels } from '#catalog/levels.ts'
import { courses, skills, type Course } from '#catalog/skills.ts'
import { decimal, inert, shorten, wrap, type Screen } from './layout.ts'
import type { ExerciseReport, Report } from './schema.ts'
import { levelNames, stateNames, words } from './words.ts'

/** Several exercises at a glance: a line each, the skill matrix, the total, what to do next. */
export function drawOverview(raw: Report, exercises: readonly Exercise[], screen: Screen): string {
  const report = inert(raw)
  const lines = [
    screen.colors.bold(words.course[screen.lang]),
    '',
    ...rows(report, exercises, screen),
    '',
    ...matrix(report, screen),
    '',
    ...total(report, screen),
    ...next(report, screen),
  ]
  return ['', ...lines.map((line) => (line ? `  ${line}` : '')), ''].join('\n')
}

function rows({ exercises: all }: Report, exercises: readonly Exercise[], { lang, width, colors }: Screen): string[] {
  const results = all.map((one) => (one.state === 'graded' ? levelNames[one.level] : stateNames[one.state])[lang])
  const resultWidth = Math.max(...results.map((result) => result.length))
  const titleWidth = width - 2 - 4 - resultWidth - 2 - 6 - 2
  return all.map((one, index) => {
    const title = exercises.find(({ slug }) => slug === one.slug)?.title[lang] ?? one.slug
    const done = one.score === 100
    const points = (one.score === null ? '–' : decimal(one.score, lang))
    const sign = done ? colors.green('✓') : one.state === 'graded' ? colors.red('✗') : colors.dim('·')
    const name = shorten(title, titleWidth).padEnd(titleWidth)
    return `${String(one.number).padStart(2)}  ${name}  ${results[index]!.padEnd(resultWidth)}  ${points.padStart(5)} ${sign}`
  })
}

function matrix({ skills: states, courseLevel }: Report, { lang, width, colors }: Screen): string[] {
  const signs = { shown: colors.green('✓'), missing: colors.red('✗'), 'not-graded': colors.dim('·') }
  const nameWidth = Math.max(...levels.map((level) => levelNames[level][lang].length))
  const blocks = courses.map((course) => [
    `${colors.bold(courseNames[course])}   ${words.courseLevel[lang]}: ${levelNames[courseLevel[course]][lang]}`,
    ...levels.flatMap((level) => {
      const cells = [...skills].filter(([, cell]) => cell.course === course && cell.level === level)
      const text = cells.map(([skill]) => `${marks[states[skill] ?? 'not-graded']}\u00a0${skill.split('/')[1]}`).join('  ')
      const lines = wrap(text, width - nameWidth - 6)
      return lines.map((line, index) => `  ${(index === 0 ? levelNames[level][lang] : '').padEnd(nameWidth)}  ${paint(line)}`)
    }),
  ])
  function paint(line: string): string {
    return line.replaceAll('\u00a0', ' ').replaceAll('✓', signs.shown).replaceAll('✗', signs.missing).replaceAll('·', signs['not-graded'])
  }
  return [...blocks.flatMap((block) => [...block, '']), colors.dim(words.skillStates[lang])]
}

const marks = { shown: '✓', missing: '✗', 'not-graded': '·' }

const courseNames: Record<Course, string> = { redis: 'Redis', kafka: 'Kafka' }

function total({ total: { score, possible } }: Report, { lang, colors }: Screen): string[] {
  return [`${words.total[lang]}: ${colors.bold(`${score === null ? '–' : decimal(score, lang)} / ${possible}`)}`]
}

/** The first exercise that has something left to do; what was never begun comes after what was. */
function next({ exercises }: Report, { lang }: Screen): string[] {
  const open = exercises.filter(({ score }) => score !== 100)
  const first = open.find(isBegun) ?? open[0]
  return first ? ['', words.details(first.number)[lang]] : ['', words.allKept[lang]]
}

function isBegun({ state }: ExerciseReport): boolean {
  return state !== 'untouched'
}

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
    const points = (one.score === null ? '–' : decimal(one.score, lang)).padStart(5)
    const sign = done ? colors.green('✓') : one.state === 'graded' ? colors.red('✗') : colors.dim('·')
    const name = shorten(title, titleWidth).padEnd(titleWidth)
    const result = results[index]!.padEnd(resultWidth)
    return `${String(one.number).padStart(2)}  ${name}  ${result}  ${points} ${sign}`
  })
}

function matrix({ skills: states, courseLevel }: Report, screen: Screen): string[] {
  const { lang, width, colors } = screen
  const nameWidth = Math.max(...levels.map((level) => levelNames[level][lang].length))
  const blocks = courses.map((course) => [
    `${colors.bold(courseNames[course])}   ${words.courseLevel[lang]}: ${levelNames[courseLevel[course]][lang]}`,
    ...levels.flatMap((level) => {
      const cells = [...skills].filter(([, cell]) => cell.course === course && cell.level === level)
      // A space that does not break keeps a mark and its skill on one line.
      const marked = cells.map(([skill]) => `${marks[states[skill] ?? 'not-graded']}\u00a0${skill.split('/')[1]}`)
      const lines = wrap(marked.join('  '), width - nameWidth - 6)
      return lines.map((line, index) => {
        const name = index === 0 ? levelNames[level][lang] : ''
        return `  ${name.padEnd(nameWidth)}  ${paint(line, screen)}`
      })
    }),
  ])
  return [...blocks.flatMap((block) => [...block, '']), colors.dim(words.skillStates[lang])]
}

/** Colour comes after wrapping: it has no width. */
function paint(line: string, { colors }: Screen): string {
  return line
    .replaceAll('\u00a0', ' ')
    .replaceAll(marks.shown, colors.green(marks.shown))
    .replaceAll(marks.missing, colors.red(marks.missing))
    .replaceAll(marks['not-graded'], colors.dim(marks['not-graded']))
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

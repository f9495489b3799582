import type { Exercise } from '#catalog/exercise.ts'
import { criteria, levels, type Level } from '#catalog/levels.ts'
import { drawEvidence } from './evidence.ts'
import { decimal, inert, wrap, type Screen } from './layout.ts'
import type { CheckReport, ExerciseReport } from './schema.ts'
import { criterionNames, levelNames, words } from './words.ts'

/** One exercise in full, for a terminal: what it reached, what is not kept yet and why, one next step. */
export function drawExercise(raw: ExerciseReport, exercise: Exercise, screen: Screen): string {
  const report = inert(raw)
  const body = {
    untouched: () => [
      ...wrap(words.untouched('exercise.ts')[screen.lang], screen.width - 2),
      '',
      ...wrap(words.startHere(report.slug)[screen.lang], screen.width - 2),
    ],
    broken: () => [
      ...wrap(words.broken[screen.lang], screen.width - 2).map(screen.colors.red),
      ...(report.message === null ? [] : ['', ...wrap(report.message, screen.width - 2)]),
      '',
      ...wrap(words.repair(report.number)[screen.lang], screen.width - 2),
    ],
    'not-graded': () => [
      ...wrap(words.notGraded[screen.lang], screen.width - 2),
      ...(report.message === null ? [] : ['', ...wrap(report.message, screen.width - 2)]),
      ...(report.checks.length === 0 ? [] : ['', `${words.provisional[screen.lang]}:`, '', ...results(report, screen)]),
      '',
      words.again(report.number)[screen.lang],
    ],
    graded: () => [...results(report, screen), '', ...nextStep(report, exercise, screen)],
  }[report.state]()
  const lines = [...header(report, exercise, screen), '', ...body]
  return ['', ...lines.map((line) => (line ? `  ${line}` : '')), ''].join('\n')
}

function header(report: ExerciseReport, { title }: Exercise, { lang, width, colors }: Screen): string[] {
  const name = wrap(words.exercise(report.number, title)[lang], width - 2).map(colors.bold)
  if (report.state !== 'graded') return name
  const level = `${words.levelReached[lang]}: ${colors.bold(levelNames[report.level][lang])}`
  return [...name, `${level}   ${words.score[lang]}: ${colors.bold(`${decimal(report.score ?? 0, lang)} / 100`)}`]
}

function results(report: ExerciseReport, screen: Screen): string[] {
  const blocks = [
    criteriaBars(report, screen),
    failing(report, screen),
    skipped(report, screen),
    inconclusive(report, screen),
    passing(report, screen),
  ]
  return blocks.filter((block) => block.length > 0).flatMap((block, index) => (index === 0 ? block : ['', ...block]))
}

const barWidth = 20

function criteriaBars(report: ExerciseReport, { lang, colors }: Screen): string[] {
  const nameWidth = Math.max(...criteria.map((criterion) => criterionNames[criterion][lang].length))
  return criteria.map((criterion) => {
    const { earned, possible } = report.criteria[criterion]
    const filled = Math.floor((earned / possible) * barWidth)
    const bar = colors.green('█'.repeat(filled)) + colors.dim('░'.repeat(barWidth - filled))
    const name = criterionNames[criterion][lang].padEnd(nameWidth)
    return `${name}  ${bar}  ${decimal(earned, lang).padStart(4)} / ${possible}`
  })
}

const mostEvidence = 3

function failing(report: ExerciseReport, screen: Screen): string[] {
  const checks = byLevel(report.checks.filter(({ verdict }) => verdict === 'fail'))
  if (checks.length === 0) return []
  const inFull = new Set([
    ...checks.slice(0, mostEvidence),
    // The order of two callers' commands is what nobody can find by reading the code: it is always shown.
    ...checks.filter(({ evidence }) => evidence?.kind === 'interleaving').slice(0, 1),
  ])
  const drawn = checks.flatMap((check) => [...drawFailure(check, screen, inFull.has(check)), ''])
  const isHidden = checks.some((check) => check.evidence !== null && !inFull.has(check))
  const note = isHidden ? [...wrap(words.moreEvidence[screen.lang], screen.width - 2), ''] : []
  return [screen.colors.bold(words.failing[screen.lang]), '', ...drawn, ...note].slice(0, -1)
}

function drawFailure(check: CheckReport, screen: Screen, inFull: boolean): string[] {
  const { lang, width, colors } = screen
  const worth = words.ofCriterion(decimal(check.possible, lang), criterionNames[check.criterion])[lang]
  const [first = '', ...more] = wrap(check.title, width - 4)
  const tag = [check.level && levelNames[check.level][lang], worth].filter(Boolean).join(' · ')
  const message = check.message === null ? [] : wrap(check.message, width - 4)
  const evidence = inFull && check.evidence ? drawEvidence(check.evidence, { ...screen, width: width - 4 }) : []
  return [
    `${colors.red('✗')} ${colors.bold(first)}`,
    ...[...more.map(colors.bold), colors.dim(tag), ...message, ...(evidence.length > 0 ? ['', ...evidence] : [])]
      .map((line) => (line ? `  ${line}` : '')),
  ]
}

/** Checks skipped for one reason are one line. */
function skipped(report: ExerciseReport, { lang, width, colors }: Screen): string[] {
  const reasons = new Map<string, CheckReport[]>()
  for (const check of report.checks.filter(({ verdict }) => verdict === 'skipped')) {
    const reason = check.message ?? (check.blockedBy === null ? '' : words.waitsFor(check.blockedBy)[lang])
    reasons.set(reason, [...(reasons.get(reason) ?? []), check])
  }
  if (reasons.size === 0) return []
  const lines = [...reasons].flatMap(([reason, checks]) => {
    const what = checks.length === 1 ? checks[0]!.title : words.checks(checks.length)[lang]
    return hang('–', reason ? `${what}: ${reason}` : what, width)
  })
  return [colors.bold(words.skipped[lang]), ...lines]
}

function inconclusive(report: ExerciseReport, { lang, width, colors }: Screen): string[] {
  const checks = report.checks.filter(({ verdict }) => verdict === 'inconclusive')
  if (checks.length === 0) return []
  const sentences = checks.map(({ title, message }) => (message === null ? title : `${title}: ${message}`))
  const lines = sentences.flatMap((sentence) => hang('?', sentence, width))
  return [colors.bold(words.inconclusive[lang]), ...lines]
}

/** What passes is only counted: attention belongs to what does not. */
function passing(report: ExerciseReport, { lang, width, colors }: Screen): string[] {
  const groups: (Level | null)[] = [...levels, null]
  const counts = groups.flatMap((level) => {
    const own = report.checks.filter((check) => check.level === level)
    const kept = own.filter(({ verdict }) => verdict === 'pass').length
    const name = level === null ? words.tidiness : levelNames[level]
    return own.length === 0 ? [] : [`${name[lang]} ${words.ofMany(kept, own.length)[lang]}`]
  })
  const [first = '', ...more] = wrap(`${words.passing[lang]}: ${counts.join(', ')}`, width - 4)
  return [`${colors.green('✓')} ${first}`, ...more.map((line) => `  ${line}`)]
}

function nextStep(report: ExerciseReport, exercise: Exercise, { lang, width, colors }: Screen): string[] {
  const [first] = byLevel(report.checks.filter(({ verdict }) => verdict === 'fail'))
  if (!first) return [colors.green(words.allKept[lang]), words.nextExercise[lang]]
  const mistake = exercise.mistakes.get(first.id)
  return [
    ...wrap(`${words.next[lang]}: ${first.title}`, width - 2).map(colors.bold),
    ...(mistake ? wrap(`${words.frequentMistake[lang]}: ${mistake[lang]}`, width - 2) : []),
    ...(exercise.hints.length > 0 ? wrap(words.hintCommand(report.number)[lang], width - 2) : []),
  ]
}

/** Lowest level first; what belongs to no level comes last. */
function byLevel(checks: readonly CheckReport[]): readonly CheckReport[] {
  const rank = ({ level }: CheckReport) => (level === null ? levels.length : levels.indexOf(level))
  return checks.toSorted((a, b) => rank(a) - rank(b))
}

function hang(sign: string, text: string, width: number): string[] {
  return wrap(text, width - 4).map((line, index) => `${index === 0 ? sign : ' '} ${line}`)
}

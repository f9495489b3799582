import type { Lang, Text } from '#catalog/text.ts'
import type { GradeEvent } from '../grade.types.ts'

const patienceMs = 1000

/** One line on a terminal's stderr, only for what takes more than a second. `submissions` is how many will be graded. */
export function showProgress(lang: Lang, submissions: number): { onEvent(event: GradeEvent): void; end(): void } {
  if (!process.stderr.isTTY) return { onEvent: () => {}, end: () => {} }
  let line = ''
  let checks = 0
  let finished = 0
  let shown = false
  const draw = () => {
    shown = true
    process.stderr.write(`\r\u001b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`)
  }
  const timer = setInterval(draw, patienceMs)
  timer.unref()
  return {
    onEvent(event) {
      if (event.type === 'outcome') checks++
      if (event.type === 'finished') finished++
      line = (submissions === 1 ? ofOne(event, checks) : ofMany(event, finished, submissions))[lang]
      if (shown) draw()
    },
    end() {
      clearInterval(timer)
      if (shown) process.stderr.write('\r\u001b[K')
    },
  }
}

function ofOne(event: GradeEvent, done: number): Text {
  if (event.type === 'services') return event.message
  if (event.type === 'retrying') return { en: `Once more: ${event.reason.en}`, vi: `Thử lại lần nữa: ${event.reason.vi}` }
  const { slug, checks } = event.exercise
  return done === 0
    ? { en: `Grading ${slug} …`, vi: `Đang chấm ${slug} …` }
    : { en: `Grading ${slug}: ${done} of ${checks.length} checks …`, vi: `Đang chấm ${slug}: ${done}/${checks.length} mục kiểm tra …` }
}

function ofMany(event: GradeEvent, finished: number, all: number): Text {
  if (event.type === 'services') return event.message
  const { slug } = event.exercise
  return { en: `${finished} of ${all} graded · ${slug} …`, vi: `Đã chấm ${finished}/${all} · ${slug} …` }
}

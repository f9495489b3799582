import type { Lang, Text } from '#catalog/text.ts'
import type { GradeEvent } from '../grade.types.ts'

const patienceMs = 1000

/** One line on a terminal's stderr, only for what takes more than a second. */
export function showProgress(lang: Lang): { onEvent(event: GradeEvent): void; end(): void } {
  if (!process.stderr.isTTY) return { onEvent: () => {}, end: () => {} }
  let line = ''
  let done = 0
  let shown = false
  const draw = () => {
    shown = true
    process.stderr.write(`\r\u001b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`)
  }
  const timer = setInterval(draw, patienceMs)
  timer.unref()
  return {
    onEvent(event) {
      done = event.type === 'outcome' ? done + 1 : event.type === 'started' ? 0 : done
      line = lineOf(event, done)[lang]
      if (shown) draw()
    },
    end() {
      clearInterval(timer)
      if (shown) process.stderr.write('\r\u001b[K')
    },
  }
}

function lineOf(event: GradeEvent, done: number): Text {
  switch (event.type) {
    case 'services':
      return event.message
    case 'started':
      return { en: `Grading ${event.exercise.slug} …`, vi: `Đang chấm ${event.exercise.slug} …` }
    case 'outcome': {
      const { slug, checks } = event.exercise
      return {
        en: `Grading ${slug}: ${done} of ${checks.length} checks …`,
        vi: `Đang chấm ${slug}: ${done}/${checks.length} mục kiểm tra …`,
      }
    }
    case 'retrying':
      return { en: `Once more: ${event.reason.en}`, vi: `Thử lại lần nữa: ${event.reason.vi}` }
  }
}

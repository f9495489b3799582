import { CommanderError } from 'commander'
import { CommandError } from '#catalog/command-error.ts'
import { SubmissionError } from '#catalog/submission.ts'
import type { Lang, Text } from '#catalog/text.ts'

/** 2: the command was wrong. 3: nothing could be graded, and that is not the learner's doing. */
export async function exitCode(error: unknown): Promise<2 | 3> {
  return isCommandWrong(error) ? 2 : 3
}

/** What people read on stderr: never a stack, unless they ask for one with KIT_DEBUG=1. */
export async function explain(error: unknown, lang: Lang): Promise<string> {
  const text = await textOf(error)
  const stack = process.env.KIT_DEBUG === '1' && error instanceof Error ? `${error.stack}\n` : ''
  return `${text[lang]}\n${stack}`
}

function isCommandWrong(error: unknown): boolean {
  return error instanceof CommandError || error instanceof SubmissionError || error instanceof CommanderError
}

async function textOf(error: unknown): Promise<Text> {
  if (error instanceof CommandError || error instanceof SubmissionError) return error.text
  if (error instanceof CommanderError) {
    const detail = error.message.replace(/^error: /, '')
    return { en: `This command is not understood: ${detail}`, vi: `Không hiểu lệnh này: ${detail}` }
  }
  const { ServicesUnavailable } = await import('#services/services.ts')
  if (error instanceof ServicesUnavailable) return error.text
  const detail = error instanceof Error ? error.message : String(error)
  return {
    en: `The kit itself failed, not your code: ${detail}\nRun it again with KIT_DEBUG=1 to see where.`,
    vi: `Lỗi ở chính bộ bài tập, không phải ở mã của bạn: ${detail}\nChạy lại với KIT_DEBUG=1 để xem lỗi ở đâu.`,
  }
}

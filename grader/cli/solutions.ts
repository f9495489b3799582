import path from 'node:path'
import { Command } from 'commander'
import { CommandError } from '#catalog/command-error.ts'
import { findExercise, kitFolder, listExercises, type Exercise } from '#catalog/exercise.ts'
import type { Lang, Text } from '#catalog/text.ts'
import { restore, swap, swapState, type Restored, type Swapped, type SwapState } from '../swap/swap.ts'

/** `solutions swap|restore|status [n…]`: stubs replaced by solutions, and back. */
export function solutionsCommand(lang: Lang): Command {
  const say = (en: string, vi: string) => ({ en, vi })[lang]
  const command = new Command('solutions').description(say('put solutions in the place of stubs, and back', 'thay khung mã bằng lời giải, và ngược lại'))
  const action = (name: string, description: string, of: (exercise: Exercise) => Text): void => {
    command
      .command(name)
      .description(description)
      .argument('[names...]', say('exercises; all of them without', 'các bài tập; để trống là tất cả'))
      .action((names: string[]) => {
        const exercises = names.length > 0 ? names.map((each) => findExercise(each)) : listExercises()
        const width = Math.max(...exercises.map(({ slug }) => slug.length))
        for (const exercise of exercises) process.stdout.write(`  ${exercise.slug.padEnd(width)}  ${of(exercise)[lang]}\n`)
      })
  }
  action('swap', say('replace stubs by solutions; your own work is kept', 'thay khung mã bằng lời giải; bài của bạn được giữ lại'), (exercise) => swapped(swap(withSolution(exercise), kitFolder)))
  action('restore', say('bring your own work back', 'khôi phục bài của bạn'), (exercise) => restored(restore(exercise, kitFolder)))
  action('status', say('what is in its place now', 'file nào đang được dùng'), (exercise) => stateWords[swapState(exercise, kitFolder)])
  return command
}

function withSolution(exercise: Exercise): Exercise {
  if (exercise.solutionDir !== null) return exercise
  throw new CommandError({
    en: `solutions/${exercise.slug} is not here: what was handed out has no solutions.`,
    vi: `Không có solutions/${exercise.slug}: bộ bài phát không kèm lời giải.`,
  })
}

const stateWords: Readonly<Record<SwapState, Text>> = {
  own: { en: 'your own file', vi: 'file của bạn' },
  swapped: { en: 'the solution; your own file is kept', vi: 'lời giải; file của bạn được giữ lại' },
  edited: { en: 'the solution, edited since; your own file is kept', vi: 'lời giải, đã bị sửa; file của bạn được giữ lại' },
}

function swapped({ exercise, outcome }: Swapped): Text {
  switch (outcome) {
    case 'swapped': return { en: 'now the solution; your own file is kept', vi: 'đã thay bằng lời giải; file của bạn được giữ lại' }
    case 'already': return { en: 'was the solution already', vi: 'vốn đã là lời giải' }
    case 'edited': return {
      en: `left alone: the solution in its place was edited. First: npm run solutions restore ${exercise.number}`,
      vi: `giữ nguyên: lời giải ở đó đã bị sửa. Trước hết: npm run solutions restore ${exercise.number}`,
    }
  }
}

function restored({ outcome, kept }: Restored): Text {
  if (outcome === 'nothing') return { en: 'was your own file already', vi: 'vốn đã là file của bạn' }
  if (kept === null) return { en: 'your own file again', vi: 'đã khôi phục file của bạn' }
  const place = path.relative(kitFolder, kept)
  return { en: `your own file again; the edits made meanwhile are in ${place}`, vi: `đã khôi phục file của bạn; phần sửa trong lúc đó nằm ở ${place}` }
}

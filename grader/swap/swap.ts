import fs from 'node:fs'
import path from 'node:path'
import type { Exercise } from '#catalog/exercise.ts'

/**
 * Puts solutions in the place of stubs and back, without ever losing what a learner wrote.
 *
 * While an exercise is swapped, `.kit/stash/<slug>/exercise.ts` holds the learner's file. Every step is one rename, so
 * that a process killed at any moment leaves the learner's bytes whole, either in their place or in the stash:
 * 1. copy the learner's file into the stash (under another name, then renamed);
 * 2. rename a copy of the solution over `exercise.ts`;
 * and back: what was edited meanwhile is kept beside the stash, then the stashed file is renamed into its place.
 */
export type SwapState =
  /** The learner's own file is in its place. */
  | 'own'
  /** The solution is in its place, as it is. */
  | 'swapped'
  /** The solution is in its place and was edited there. */
  | 'edited'

export interface Swapped {
  readonly exercise: Exercise
  readonly outcome: 'swapped' | 'already' | 'edited'
}

export interface Restored {
  readonly exercise: Exercise
  readonly outcome: 'restored' | 'nothing'
  /** Where the edits made after the swap were kept, or null when there were none. */
  readonly kept: string | null
}

export function swapState(exercise: Exercise, root: string): SwapState {
  const { own, stashed } = places(exercise, root)
  if (!fs.existsSync(stashed)) return 'own'
  const current = readIfThere(own)
  if (current?.equals(fs.readFileSync(stashed))) return 'own'
  return current === null || current.equals(solutionOf(exercise)) ? 'swapped' : 'edited'
}

export function swap(exercise: Exercise, root: string): Swapped {
  const { own, stashed } = places(exercise, root)
  const state = swapState(exercise, root)
  if (state !== 'own') return { exercise, outcome: state === 'swapped' ? 'already' : 'edited' }
  fs.mkdirSync(path.dirname(stashed), { recursive: true })
  copyWhole(own, stashed)
  copyWhole(path.join(exercise.solutionDir!, 'solution.ts'), own)
  return { exercise, outcome: 'swapped' }
}

export function restore(exercise: Exercise, root: string): Restored {
  const { own, stashed } = places(exercise, root)
  if (!fs.existsSync(stashed)) return { exercise, outcome: 'nothing', kept: null }
  const kept = swapState(exercise, root) === 'edited' ? keep(own, path.dirname(stashed)) : null
  fs.renameSync(stashed, own)
  return { exercise, outcome: 'restored', kept }
}

interface Places { readonly own: string; readonly stashed: string }

function places({ dir, slug }: Exercise, root: string): Places {
  return { own: path.join(dir, 'exercise.ts'), stashed: path.join(root, '.kit', 'stash', slug, 'exercise.ts') }
}

const solutionOf = ({ solutionDir }: Exercise): Buffer => fs.readFileSync(path.join(solutionDir!, 'solution.ts'))

/** The target is the whole copy or what it was before, never a part. */
function copyWhole(from: string, to: string): void {
  const draft = `${to}.${process.pid}.tmp`
  fs.copyFileSync(from, draft)
  const file = fs.openSync(draft, 'r+')
  fs.fsyncSync(file)
  fs.closeSync(file)
  fs.renameSync(draft, to)
}

/** Keeps a file under the next free name `edited-1.ts`, `edited-2.ts`, …; returns its path. */
function keep(file: string, folder: string): string {
  for (let i = 1; ; i++) {
    const to = path.join(folder, `edited-${i}.ts`)
    if (fs.existsSync(to)) continue
    copyWhole(file, to)
    return to
  }
}

function readIfThere(file: string): Buffer | null {
  try {
    return fs.readFileSync(file)
  } catch {
    return null
  }
}

import fs from 'node:fs'
import path from 'node:path'
import { kitFolder, type Exercise } from '#catalog/exercise.ts'
import type { Submission } from '#catalog/submission.ts'
import { cacheDir, hash } from '#services/place.ts'
import type { Graded } from '../grade.types.ts'
import { openJournal, type Journal } from './journal.ts'
import type { Known } from './material.ts'

/** A program and where it belongs. */
export interface Work { readonly exercise: Exercise; readonly known: Known; readonly submission: Submission }

/** One journal for each exercise: what changes in one costs no other anything. */
export interface Journals {
  find(round: number, work: Work): Graded | null
  keep(round: number, work: Work, graded: Graded): void
  /** All is graded: the next self-check begins anew. */
  remove(): void
}

/** Opens the journals of all that is to be graded. `busy` and `services` are what verdicts come from besides the files. */
export function openJournals(all: readonly Work[], { busy, services }: { readonly busy: boolean; readonly services?: string }): Journals {
  const keys = new Map<Known, string>()
  const journals = new Map<Exercise, Journal>()
  for (const [exercise, works] of Map.groupBy(all, (work) => work.exercise)) {
    const keyOf = keysOf(exercise, [busy, services])
    for (const { known, submission } of works) keys.set(known, keyOf(submission, known.fails))
    const file = path.join(cacheDir(), `selfcheck-${exercise.slug}${busy ? '-busy' : ''}.jsonl`)
    journals.set(exercise, openJournal(file, new Set(works.map(({ known }) => keys.get(known)!))))
  }
  return {
    find: (round, { exercise, known }) => journals.get(exercise)!.find(round, keys.get(known)!, exercise),
    keep: (round, { exercise, known }, graded) => journals.get(exercise)!.keep(round, keys.get(known)!, graded),
    remove() {
      for (const journal of journals.values()) journal.remove()
    },
  }
}

/** Folders of `grader/` that no verdict comes from. */
const APART = new Set(['cli', 'daemon', 'report', 'resident', 'selfcheck', 'swap'])

/**
 * A key for each program of an exercise, given its files and the checks it must fail: it changes with all that its verdict
 * comes from, and wherever the kit lies, the same content has the same key. `circumstances` is plain data.
 */
export function keysOf(exercise: Exercise, circumstances: unknown): (submission: Submission, fails: readonly string[]) => string {
  const grader = path.join(kitFolder, 'grader')
  const common = [
    ...fs.readdirSync(grader).filter((name) => !APART.has(name)).flatMap((name) => filesIn(path.join(grader, name))),
    ...filesIn(path.join(exercise.solutionDir!, 'checks')),
    path.join(exercise.dir, 'rubric.yaml'),
    path.join(kitFolder, 'exercises', 'common.rubric.yaml'),
    path.join(kitFolder, 'package-lock.json'),
  ].map((file) => [path.relative(kitFolder, file), fs.readFileSync(file, 'utf8')])
  const ofAll = hash(JSON.stringify([process.version, circumstances, common]))
  return ({ entry, files }, fails) => hash(JSON.stringify([ofAll, entry, [...files].sort(), fails]))
}

/** Whatever is no test; a file stands for itself. */
function filesIn(place: string): string[] {
  if (!fs.statSync(place).isDirectory()) return place.endsWith('.test.ts') ? [] : [place]
  return fs.readdirSync(place).flatMap((name) => filesIn(path.join(place, name)))
}

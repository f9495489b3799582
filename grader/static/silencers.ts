import type { Diagnostic } from '#scoring/outcome.ts'
import { placeAt } from './place.ts'
import type { Source } from './sources.ts'

const words = '@ts-(?:ignore|expect-error|nocheck)|(?:eslint|oxlint)-disable(?:-next-line|-line)?'
const anywhere = new RegExp(words, 'g')
/** A comment that only talks about such a word is no silencer: it has to begin a line. */
const atLineStart = new RegExp(`^[\\s*/]*(${words})`, 'm')

/** The comments that would switch the compiler or the linter off. */
export function silencers(source: Source): Diagnostic[] {
  return source.comments.flatMap(({ start, value }) => {
    const directive = value.match(atLineStart)?.[1]
    if (!directive) return []
    return [placeAt(source, start, 'silenced', `\`${directive}\` hides a problem instead of solving it.`)]
  })
}

/** The same text with those comments made harmless and everything still at its place. */
export function withoutSilencers({ comments, text }: Source): string {
  let harmless = text
  for (const { start, end } of comments) {
    const comment = harmless.slice(start, end).replace(anywhere, (word) => word.replace('-', '_'))
    harmless = harmless.slice(0, start) + comment + harmless.slice(end)
  }
  return harmless
}

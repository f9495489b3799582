import { both, CheckFailed, plain, shown, type Command, type Learner } from '#checks'

export interface Ranked { readonly articleId: number; readonly views: number }

export function view(learner: Learner, articleId: number): Promise<unknown> {
  return learner.call('viewArticle', learner.redis, articleId)
}

/** The count as a number, whatever type it came as: that it must be a number is a promise of its own. */
export async function countOf(learner: Learner, articleId: number): Promise<number> {
  return Number(await learner.call('getViewCount', learner.redis, articleId))
}

/** The ranking with ids and counts as numbers, and without anything else its entries may hold. */
export async function topOf(learner: Learner, ...limit: [] | [number]): Promise<Ranked[]> {
  const top = await entriesOf(learner, ...limit)
  return top.map(({ articleId, views }) => ({ articleId: Number(articleId), views: Number(views) }))
}

/** The entries of the ranking as they came, be they literals or instances of a class. */
export async function entriesOf(learner: Learner, ...limit: [] | [number]): Promise<Record<keyof Ranked, unknown>[]> {
  const top = await plain(await learner.call('getTopArticles', learner.redis, ...limit), ['articleId', 'views'])
  if (!Array.isArray(top)) throw notARanking(top)
  return top.map((entry: unknown) => {
    const named = typeof entry === 'object' && entry !== null && 'articleId' in entry && 'views' in entry
    if (!named) throw notARanking(top)
    return { articleId: entry.articleId, views: entry.views }
  })
}

export const ids = (ranking: readonly Ranked[]): number[] => ranking.map(({ articleId }) => articleId)

/** The count of an article and what the ranking says of it, 0 when it is not in there. */
export async function countAndRanked(learner: Learner, articleId: number): Promise<{ count: number; ranked: number }> {
  const count = await countOf(learner, articleId)
  const ranked = (await topOf(learner, 10)).find((entry) => entry.articleId === articleId)?.views ?? 0
  return { count, ranked }
}

/**
 * The commands that `run` sends. A question follows, and its own commands are taken off again: what was sent before is
 * answered before, so that nothing is missed of code that does not wait for its views.
 */
export async function commandsOf(learner: Learner, run: () => Promise<unknown>): Promise<Command[]> {
  const ask = (): Promise<number> => countOf(learner, 99)
  await ask()
  learner.wire.forget()
  await ask()
  const asking = learner.wire.commands().length
  learner.wire.forget()
  await run()
  await ask()
  const all = learner.wire.commands()
  return all.slice(0, all.length - asking)
}

function notARanking(value: unknown): CheckFailed {
  return new CheckFailed(both(
    `getTopArticles must give a list of { articleId, views }; it gave ${shown(value)}.`,
    `getTopArticles phải trả về danh sách { articleId, views }; kết quả nhận được là ${shown(value)}.`),
  { expected: '[{ articleId, views }, …]', got: shown(value) })
}

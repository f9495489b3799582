/**
 * Count and ranking are one thing: they change in one atomic step, whoever else writes and whatever crashes. Failures
 * of Redis reach the caller, and the ranking costs the same however many articles there are.
 */
import { atMost, besideACutClient, both, check, CheckFailed, commandsRun, rejects, same } from '#checks'
import { countAndRanked, countOf, ids, topOf, view, type Ranked } from './calls.ts'
import { howToGrow } from './many-articles.ts'

check('count-and-ranking-agree', async ({ learner, schedules, did }) => {
  did(both('let two processes view one article at once, then let one ask for the ranking while the other viewed, in every order of their commands',
    'cho hai tiến trình cùng lúc xem một bài viết, rồi cho một bên hỏi bảng xếp hạng trong khi bên kia xem, theo mọi thứ tự lệnh có thể'))
  await schedules.explore({
    callers: [(caller) => view(caller, 7), (caller) => view(caller, 7)],
    holds: async (results) => {
      for (const result of results) if (result instanceof Error) throw result
      const { count, ranked } = await countAndRanked(learner, 7)
      if (count === 2 && ranked === 2) return
      throw new CheckFailed(both(
        `Two views at once: getViewCount says ${count}, the ranking says ${ranked}.`,
        `Hai lượt xem cùng lúc: getViewCount trả về ${count}, bảng xếp hạng ghi ${ranked}.`),
      { expected: '{ count: 2, ranked: 2 }', got: `{ count: ${count}, ranked: ${ranked} }` })
    },
  })
  let second = 0
  await schedules.explore({
    // Of two that are equal the second one is viewed: then it is ahead.
    setup: async () => {
      for (const articleId of [7, 8]) await view(learner, articleId)
      second = ids(await topOf(learner, 2))[1] ?? 8
    },
    callers: [(caller) => view(caller, second), (caller) => topOf(caller, 2)],
    holds: ([, top]) => {
      if (top instanceof Error) throw top
      const views = (top as readonly Ranked[]).map((entry) => entry.views)
      same(views, views.toSorted((a, b) => b - a),
        both('the counts in a ranking that was asked for during a view', 'số lượt xem trong bảng xếp hạng được hỏi giữa một lượt xem'))
    },
    names: [both('the view', 'lượt xem'), both('the question', 'lần hỏi')],
    limit: 40,
  })
})

check('crash-changes-both-or-neither', async ({ learner, cuts, did }) => {
  did(both('viewed an article once, then cut the connection after each command of a second view',
    'xem bài viết một lần, rồi cắt kết nối sau từng lệnh của lượt xem thứ hai'))
  // Another article for each cut: code that counts in memory has no memory of it.
  let articleId = 0
  await cuts.explore({
    setup: async () => { await view(learner, ++articleId) },
    call: (caller) => view(caller, articleId),
    audit: async () => {
      const { count, ranked } = await countAndRanked(learner, articleId)
      if (count === ranked && (count === 1 || count === 2)) return
      throw new CheckFailed(count === ranked
        ? both(`After the crash getViewCount and the ranking both say ${count}: it must be 1 or 2.`,
          `Sau khi sập, getViewCount và bảng xếp hạng đều ghi ${count}: phải là 1 hoặc 2.`)
        : both(`After the crash getViewCount says ${count}, the ranking says ${ranked}: one changed without the other.`,
          `Sau khi sập, getViewCount trả về ${count} còn bảng xếp hạng ghi ${ranked}: chỉ một bên thay đổi.`),
      { expected: '{ count: 1, ranked: 1 } / { count: 2, ranked: 2 }', got: `{ count: ${count}, ranked: ${ranked} }` })
    },
  })
})

check('redis-failure-rejects', async ({ learner, did }) => {
  did(both('called every function through two clients and cut one of them off before its commands arrived, then called every function through that one',
    'gọi mọi hàm qua hai client và cắt kết nối của một client trước khi lệnh của nó đến nơi, rồi gọi mọi hàm qua chính client đó'))
  const offline = await learner.withRedis({ reconnects: false, retriesPerRequest: 0 })
  for (let i = 0; i < 2; i++) await view(offline, 7)
  same(await countAndRanked(offline, 7), { count: 2, ranked: 2 },
    both('the count and the ranking while Redis works', 'số lượt xem và bảng xếp hạng khi Redis còn hoạt động'))
  const sound = await besideACutClient(offline, learner, (client) => Promise.all([
    countOf(client, 7), topOf(client, 1), view(client, 8).then(() => 'counted'),
  ]))
  same(sound, { value: [2, [{ articleId: 7, views: 2 }], 'counted'] },
    both('the count, the ranking and a view by a client whose connection is sound, when another loses its own',
      'số lượt xem, bảng xếp hạng và một lượt xem qua client còn kết nối, khi một client khác mất kết nối'))
  for (const [name, argument] of [['viewArticle', 7], ['getViewCount', 7], ['getTopArticles', 10]] as const) {
    await rejects(() => offline.call(name, offline.redis, argument),
      both(`${name} while Redis is out of reach`, `${name} khi không kết nối được Redis`))
  }
})

check('survives-an-emptied-script-cache', async ({ learner, redis, did }) => {
  did(both('emptied the script cache between the calls', 'xóa script cache giữa các lời gọi'))
  for (let i = 0; i < 2; i++) {
    await view(learner, 7)
    same(await countAndRanked(learner, 7), { count: 2 * i + 1, ranked: 2 * i + 1 },
      both('the count and the ranking', 'số lượt xem và bảng xếp hạng'))
    await redis.script('FLUSH')
    await view(learner, 7)
    await redis.script('FLUSH')
    same(await countOf(learner, 7), 2 * i + 2,
      both('the count after the script cache was emptied', 'số lượt xem sau khi script cache bị xóa'))
    await redis.script('FLUSH')
    same(await topOf(learner), [{ articleId: 7, views: 2 * i + 2 }],
      both('the ranking after the script cache was emptied', 'bảng xếp hạng sau khi script cache bị xóa'))
  }
})

check('top-reads-only-what-it-gives', async ({ learner, redis, did }) => {
  did(both('compared the bytes of the replies to getTopArticles(10) with 200 articles and with many more',
    'so số byte phản hồi của getTopArticles(10) khi có 200 bài viết và khi có nhiều hơn nhiều'))
  const grow = await howToGrow(learner, redis)
  const best = [2, 3, 4, 5, 6, 7, 8, 9, 20, 30]
  const leading: number[] = []
  const lead = async (articles: readonly number[]): Promise<void> => {
    leading.push(...articles)
    for (const articleId of [...articles, ...articles]) await view(learner, articleId)
  }
  const bytes = async (): Promise<number> => {
    // Everything sent before is answered before this: only then does the counting begin.
    await topOf(learner, 10)
    learner.wire.forget()
    const top = ids(await topOf(learner, 10))
    same(top.length, 10, both('how many the top ten are', 'số bài trong mười bài đầu'))
    same(top.slice(0, leading.length).toSorted((a, b) => a - b), leading,
      both('the most viewed', 'những bài được xem nhiều nhất'))
    return learner.wire.replyBytes()
  }
  // With five in the lead, the others of the ten have as many views as all the rest.
  await lead(best.slice(0, 5))
  await grow(5, 200)
  const few = await bytes()
  const articles = await grow(200, 20_000)
  const reads = async (count: number): Promise<void> => atMost(await bytes(), Math.floor(few * 1.3),
    both(`bytes read for the top ten of ${count} articles, when ${few} are enough with 200`,
      `số byte đọc mười bài đầu trong ${count} bài, trong khi với 200 bài chỉ cần ${few}`))
  await reads(articles)
  await lead(best.slice(5))
  await reads(articles + 5)
})

check('never-searches-the-keys', async ({ learner, redis, did }) => {
  did(both('called every function and looked at what the server ran, inside scripts too',
    'gọi mọi hàm rồi xem những lệnh server đã chạy, kể cả trong script'))
  const names = await commandsRun(redis, async () => {
    for (const articleId of [2, 1, 2]) await view(learner, articleId)
    await countOf(learner, 2)
    same(ids(await topOf(learner, 10)), [2, 1], both('the ranking', 'bảng xếp hạng'))
  })
  const searching = names.filter((name) => ['KEYS', 'SCAN', 'FLUSHDB', 'FLUSHALL'].includes(name))
  same(searching, [], both('commands that go through the whole database', 'các lệnh duyệt toàn bộ database'))
})

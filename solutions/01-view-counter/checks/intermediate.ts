/**
 * The counts are Redis's, not one process's: no view is lost among many at once, and every process sees the same.
 * Keys are named and never expire. A failing command reaches the caller, bad input reaches nobody, and a view is one
 * round trip of at most two commands.
 */
import {
  atMost, both, check, holds, type Learner, plantWrongType, refuses, rejects, same, settled, shown, storm, until, wrongTypesMet,
} from '#checks'
import { commandsOf, countAndRanked, countOf, ids, topOf, view } from './calls.ts'
import { howToGrow } from './many-articles.ts'

const LARGEST = Number.MAX_SAFE_INTEGER

check('concurrent-views-all-count', async ({ learner, did }) => {
  did(both('viewed one article 50 times at once on one connection',
    'xem một bài viết 50 lần cùng lúc trên một kết nối'))
  await storm(50, () => view(learner, 7))
  same(await countAndRanked(learner, 7), { count: 50, ranked: 50 },
    both('the count, and the views in the ranking, after 50 views at once',
      'số lượt xem và số trong bảng xếp hạng sau 50 lượt xem cùng lúc'))
})

check('processes-share-the-counts', async ({ learner, another, did }) => {
  did(both('viewed an article in one process and asked in another, then the other way round',
    'xem bài viết ở một tiến trình và hỏi ở tiến trình khác, rồi ngược lại'))
  const other = await another()
  await view(learner, 7)
  await view(learner, 7)
  // Its views are at the server once a later question is answered: whether it waits for them itself is judged elsewhere.
  await countOf(learner, 99)
  same(await countAndRanked(other, 7), { count: 2, ranked: 2 },
    both('what another process sees after two views', 'kết quả tiến trình khác thấy sau hai lượt xem'))
  same(await countAndRanked(learner, 7), { count: 2, ranked: 2 },
    both('what the first process sees after its own two views',
      'kết quả tiến trình đầu thấy sau hai lượt xem của mình'))
  await view(other, 7)
  await countOf(other, 99)
  same(await countAndRanked(learner, 7), { count: 3, ranked: 3 },
    both('what the first process sees after a third view elsewhere',
      'kết quả tiến trình đầu thấy sau lượt xem thứ ba ở tiến trình kia'))
})

check('limit-zero-gives-nothing', async ({ learner, did }) => {
  did(both('viewed three articles and asked with a limit of 3, then with a limit of 0', 'xem ba bài viết rồi hỏi với limit bằng 3, sau đó với limit bằng 0'))
  for (const articleId of [1, 2, 3]) await view(learner, articleId)
  same((await topOf(learner, 3)).length, 3, both('how many a limit of 3 gives', 'số bài trả về khi limit là 3'))
  same(await topOf(learner, 0), [], both('what a limit of 0 gives', 'kết quả khi limit là 0'))
})

check('ties-keep-their-order', async ({ learner, did }) => {
  did(both('viewed twelve articles twice each and asked for the ranking again and again, whole and in part',
    'xem mười hai bài viết mỗi bài hai lần rồi hỏi bảng xếp hạng nhiều lần, cả bảng và một phần'))
  const articles = [5, 3, 12, 100, 7, 1, 41, 2, 9, 60, 11, 8]
  for (const articleId of [...articles, ...articles]) await view(learner, articleId)
  const first = ids(await topOf(learner, 12))
  same(first.toSorted((a, b) => a - b), articles.toSorted((a, b) => a - b),
    both('the articles in the ranking', 'các bài trong bảng xếp hạng'))
  for (let i = 0; i < 2; i++) {
    same(ids(await topOf(learner, 12)), first, both('the same ranking, asked again', 'cùng bảng xếp hạng khi hỏi lại'))
  }
  same(ids(await topOf(learner, 5)).slice(0, 5), first.slice(0, 5),
    both('the first five of that ranking', 'năm bài đầu của bảng xếp hạng đó'))
})

check('largest-ids-and-limits-work', async ({ learner, redis, did }) => {
  did(both('viewed articles with ids up to 2^53 − 1 and asked for the ranking with a limit of 2^53 − 1, then again with thousands of articles',
    'xem các bài có id đến 2^53 − 1 và hỏi bảng xếp hạng với limit 2^53 − 1, rồi hỏi lại khi có hàng nghìn bài'))
  const articles = [LARGEST, LARGEST - 1, 2 ** 32 + 1, 2 ** 31, 1]
  for (const [i, articleId] of articles.entries()) {
    for (let times = 5 - i; times > 0; times--) await view(learner, articleId)
  }
  for (const [i, articleId] of articles.entries()) {
    same(await countOf(learner, articleId), 5 - i,
      both(`the count of article ${articleId}`, `số lượt xem của bài ${articleId}`))
  }
  same(ids(await topOf(learner, LARGEST)), articles,
    both(`the ranking with a limit of ${LARGEST}`, `bảng xếp hạng với limit ${LARGEST}`))
  await redis.flushdb()
  const many = await (await howToGrow(learner, redis))(0, 20_000)
  const given = (await topOf(learner, LARGEST)).length
  holds(given >= many,
    both(`how many of ${many} articles a limit of ${LARGEST} gives`, `số bài trả về trong ${many} bài khi limit là ${LARGEST}`), String(many), String(given))
})

check('keys-start-with-article', async ({ learner, redis, did }) => {
  did(both('called every function and looked at every key', 'gọi mọi hàm rồi xem mọi key'))
  await callEverything(learner)
  const keys = (await redis.keys('*')).toSorted()
  holds(keys.length > 0, both('keys in Redis after three views', 'số key trong Redis sau ba lượt xem'), '≥ 1', '0')
  for (const key of keys) {
    holds(key.startsWith('article:'),
      both('the beginning of every key', 'phần đầu của mọi key'), 'article:', key.slice(0, 40))
  }
})

check('keys-never-expire', async ({ learner, redis, did }) => {
  did(both('called every function and looked at the expiry of every key',
    'gọi mọi hàm rồi xem thời gian sống của mọi key'))
  await callEverything(learner)
  const keys = (await redis.keys('*')).toSorted()
  holds(keys.length > 0, both('keys in Redis after three views', 'số key trong Redis sau ba lượt xem'), '≥ 1', '0')
  for (const key of keys) {
    const ms = await redis.pttl(key)
    holds(ms === -1,
      both(`the time left for ${key.slice(0, 40)}`, `thời gian sống còn lại của ${key.slice(0, 40)}`),
      both('no expiry', 'không có thời hạn'), `${ms} ms`)
  }
})

check('failed-command-rejects', async ({ learner, redis, did }) => {
  did(both('viewed an article, gave its keys another type, all at once and one by one, and viewed it again',
    'xem một bài viết, đổi kiểu các key của nó, tất cả cùng lúc rồi từng key một, và xem lại'))
  await view(learner, 7)
  same(await countAndRanked(learner, 7), { count: 1, ranked: 1 },
    both('the count and the ranking while all is well', 'số lượt xem và bảng xếp hạng khi mọi thứ bình thường'))
  const keys = (await redis.keys('*')).toSorted()
  for (const key of keys) await plantWrongType(redis, key)
  await rejects(() => view(learner, 7),
    both('viewArticle with a wrong type at every key it uses', 'viewArticle khi mọi key nó dùng đều sai kiểu'))
  // One at a time: no command need fail, but if the server says one did, the caller must hear of it.
  for (const key of keys.length > 1 ? keys : []) {
    await redis.flushdb()
    await view(learner, 7)
    await plantWrongType(redis, key)
    const before = await wrongTypesMet(redis)
    const outcome = await settled(view(learner, 7))
    if ((await wrongTypesMet(redis)) === before) continue
    holds('error' in outcome,
      both(`viewArticle with a wrong type at ${key.slice(0, 40)}, where a command failed`,
        `viewArticle khi ${key.slice(0, 40)} sai kiểu và có lệnh bị lỗi`),
      both('a rejection', 'bị từ chối (reject)'), both('it resolved', 'lời gọi thành công'))
  }
})

check('bad-ids-are-refused', async ({ learner, did }) => {
  did(both('called viewArticle and getViewCount with ids that are none',
    'gọi viewArticle và getViewCount với articleId không hợp lệ'))
  await view(learner, 7)
  same(await countOf(learner, 7), 1, both('the count of a good id', 'số lượt xem của một id hợp lệ'))
  for (const name of ['viewArticle', 'getViewCount']) {
    await refusesBad(learner, name, [0, -1, 1.5, Infinity, 2 ** 53], [undefined, null, true, {}, [7], 7n])
  }
})

check('bad-limits-are-refused', async ({ learner, did }) => {
  did(both('asked for the ranking with limits that are none', 'hỏi bảng xếp hạng với limit không hợp lệ'))
  await view(learner, 7)
  same(ids(await topOf(learner, 1)), [7], both('the ranking with a limit of 1', 'bảng xếp hạng với limit là 1'))
  await refusesBad(learner, 'getTopArticles', [-1, -10, 1.5, Infinity, 2 ** 53], [null, true, {}, [7], 7n])
})

check('a-view-is-one-round-trip', async ({ learner, did }) => {
  did(both('counted the round trips of three views, of new and known articles',
    'đếm số lượt gửi–nhận của ba lượt xem, với bài mới và bài đã có'))
  await view(learner, 99)
  await countOf(learner, 99)
  const question = await learner.roundTrips(() => countOf(learner, 99))
  const all = await learner.roundTrips(async () => {
    await threeViews(learner)
    await countOf(learner, 99)
  })
  atMost(all.trips - question.trips, 3, both('round trips of three views', 'số lượt gửi–nhận của ba lượt xem'))
  await threeViewsCount(learner)
})

check('a-view-is-two-commands-at-most', async ({ learner, did }) => {
  did(both('counted the commands of three views, of new and known articles',
    'đếm số lệnh của ba lượt xem, với bài mới và bài đã có'))
  await view(learner, 99)
  const commands = await commandsOf(learner, () => threeViews(learner))
  const names = commands.map(({ name }) => name).filter((name) => name !== 'MULTI' && name !== 'EXEC')
  holds(names.length <= 6,
    both('the commands of three views, MULTI and EXEC not counted',
      'các lệnh của ba lượt xem, không tính MULTI và EXEC'),
    both('at most 6', 'không quá 6'), `${names.length}: ${names.join(', ')}`)
  await threeViewsCount(learner)
})

check('no-leaked-connection', async ({ learner, redis, did }) => {
  did(both('called every function many times, also with a wrong type at every key, then counted the connections',
    'gọi mọi hàm nhiều lần, cả khi mọi key đều sai kiểu, rồi đếm số kết nối'))
  await storm(8, () => view(learner, 7))
  await callEverything(learner)
  for (const key of await redis.keys('*')) await plantWrongType(redis, key)
  for (const [name, argument] of [['viewArticle', 7], ['getViewCount', 7], ['getTopArticles', 10]] as const) {
    await settled(learner.call(name, learner.redis, argument))
  }
  await until(() => learner.wire.open() === 1,
    both('the connections made by duplicate() to be closed', 'các kết nối tạo bằng duplicate() được đóng'),
    1500)
})

async function callEverything(learner: Learner): Promise<void> {
  for (const articleId of [7, 8, 7]) await view(learner, articleId)
  for (const articleId of [7, 8, 99]) await countOf(learner, articleId)
  for (const limit of [0, 1, 10]) await topOf(learner, limit)
}

async function threeViews(learner: Learner): Promise<void> {
  for (const articleId of [1, 2, 1]) await view(learner, articleId)
}

async function threeViewsCount(learner: Learner): Promise<void> {
  same([await countOf(learner, 1), await countOf(learner, 2)], [2, 1],
    both('the counts afterwards', 'số lượt xem sau đó'))
}

/** Out of range is a RangeError, of another type a TypeError; a numeral in a string, and NaN, can be called both. */
async function refusesBad(
  learner: Learner, name: string, outOfRange: readonly number[], wrongType: readonly unknown[],
): Promise<void> {
  const bad: [value: unknown, classes: string[]][] = [
    ...outOfRange.map((value): [unknown, string[]] => [value, ['RangeError']]),
    ...wrongType.map((value): [unknown, string[]] => [value, ['TypeError']]),
    ['7', ['TypeError', 'RangeError']],
    [NaN, ['TypeError', 'RangeError']],
  ]
  learner.wire.forget()
  for (const [value, classes] of bad) {
    const call = `${name}(redis, ${shown(value)})`
    await refuses(() => learner.call(name, learner.redis, value), classes, both(call, call))
    same(learner.wire.commands().length, 0, both(`commands sent by ${call}`, `số lệnh được gửi bởi ${call}`))
  }
}

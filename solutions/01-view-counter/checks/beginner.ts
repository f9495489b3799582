/**
 * What a counter and a ranking are: every view counts one for its article, articles never viewed have none, and the
 * most viewed come first, ten of them unless told otherwise. Everything that comes back is a number.
 */
import { both, check, holds, same, shown } from '#checks'
import { countOf, entriesOf, ids, topOf, view } from './calls.ts'

check('counts-every-view', async ({ learner, did }) => {
  did(both('viewed one article five times and asked for its count after each',
    'xem một bài viết năm lần, sau mỗi lần hỏi số lượt xem'))
  const counts: number[] = []
  for (let i = 0; i < 5; i++) {
    await view(learner, 7)
    counts.push(await countOf(learner, 7))
  }
  same(counts, [1, 2, 3, 4, 5], both('the counts', 'số lượt xem sau mỗi lần'))
})

check('never-viewed-is-zero', async ({ learner, did }) => {
  did(both('asked for the ranking before any view, viewed article 1, then asked for the count of article 99, which nobody had viewed, and for the ranking again',
    'hỏi bảng xếp hạng khi chưa có lượt xem nào, xem bài 1, rồi hỏi số lượt xem của bài 99 chưa ai xem và hỏi lại bảng xếp hạng'))
  same(await learner.call('getTopArticles', learner.redis), [],
    both('the ranking before any view', 'bảng xếp hạng khi chưa có lượt xem nào'))
  await view(learner, 1)
  same(await learner.call('getViewCount', learner.redis, 99), 0,
    both('the count of an article nobody has viewed', 'số lượt xem của bài viết chưa ai xem'))
  same(ids(await topOf(learner, 10)), [1],
    both('the articles in the ranking, after only asking about 99',
      'các bài trong bảng xếp hạng sau khi chỉ hỏi về bài 99'))
})

check('every-article-has-its-own-count', async ({ learner, did }) => {
  did(both('viewed articles whose ids look alike, each a different number of times',
    'xem các bài viết có id gần giống nhau, mỗi bài một số lần khác nhau'))
  const views = new Map([[1, 3], [11, 1], [10, 2], [111, 4]])
  for (const [articleId, times] of views) for (let i = 0; i < times; i++) await view(learner, articleId)
  for (const [articleId, times] of views) {
    same(await countOf(learner, articleId), times,
      both(`the count of article ${articleId}`, `số lượt xem của bài ${articleId}`))
  }
})

check('most-viewed-come-first', async ({ learner, did }) => {
  did(both('viewed article 1 once, 2 twice and 3 three times; then article 1 overtook the others',
    'xem bài 1 một lần, bài 2 hai lần, bài 3 ba lần; sau đó bài 1 vượt lên'))
  for (const articleId of [1, 2, 2, 3, 3, 3]) await view(learner, articleId)
  same(await topOf(learner, 10), [{ articleId: 3, views: 3 }, { articleId: 2, views: 2 }, { articleId: 1, views: 1 }],
    both('the ranking', 'bảng xếp hạng'))
  for (let i = 0; i < 3; i++) await view(learner, 1)
  same(await topOf(learner, 10), [{ articleId: 1, views: 4 }, { articleId: 3, views: 3 }, { articleId: 2, views: 2 }],
    both('the ranking after three more views of article 1', 'bảng xếp hạng sau khi bài 1 được xem thêm ba lần'))
})

check('ten-views-beat-nine', async ({ learner, did }) => {
  did(both('viewed article 7 ten times, 5 nine times and 3 twice',
    'xem bài 7 mười lần, bài 5 chín lần và bài 3 hai lần'))
  for (const [articleId, times] of [[3, 2], [5, 9], [7, 10]] as const) {
    for (let i = 0; i < times; i++) await view(learner, articleId)
  }
  same(ids(await topOf(learner, 10)), [7, 5, 3],
    both('the articles with 10, 9 and 2 views, in the order of the ranking',
      'thứ tự xếp hạng của các bài có 10, 9 và 2 lượt xem'))
})

check('gives-as-many-as-asked', async ({ learner, did }) => {
  did(both('viewed five articles and asked for some of them, then for more than there are',
    'xem năm bài viết, hỏi một phần, rồi hỏi nhiều hơn số bài đang có'))
  for (const articleId of [1, 2, 3, 4, 5, 1, 2, 3, 1]) await view(learner, articleId)
  for (const [limit, given] of [[1, 1], [3, 3], [5, 5], [100, 5]] as const) {
    same((await topOf(learner, limit)).length, given,
      both(`how many of five articles a limit of ${limit} gives`, `số bài trả về trong năm bài khi limit là ${limit}`))
  }
})

check('gives-ten-by-default', async ({ learner, did }) => {
  did(both('viewed twelve articles and asked for the ranking without a limit',
    'xem mười hai bài viết rồi hỏi bảng xếp hạng mà không truyền limit'))
  for (let articleId = 1; articleId <= 12; articleId++) await view(learner, articleId)
  same((await topOf(learner)).length, 10,
    both('how many of twelve articles getTopArticles(redis) gives',
      'số bài getTopArticles(redis) trả về trong mười hai bài'))
})

check('results-are-numbers', async ({ learner, did }) => {
  did(both('viewed an article and looked at the types of what came back',
    'xem một bài viết rồi kiểm tra kiểu dữ liệu trả về'))
  await view(learner, 42)
  const count = await learner.call('getViewCount', learner.redis, 42)
  holds(typeof count === 'number', both('the count of article 42', 'số lượt xem của bài 42'), '1', shown(count))
  const [first] = await entriesOf(learner, 10)
  same(first, { articleId: 42, views: 1 },
    both('the first of the ranking', 'bài đứng đầu bảng xếp hạng'))
})

import { both, check, CheckFailed, holds, shown, theRun } from '#checks'
import { test } from 'vitest'
import type { Outcome } from '#scoring/outcome.ts'
import type { Text } from '#catalog/text.ts'

/** The promises every exercise makes that only running the code can show. */
check('import-has-no-effect', async ({ did }) => {
  did(both('imported the file and called nothing', 'import file mà không gọi gì'))
  // One in which nothing of the submission has run yet.
  const host = await theRun().freshHost()
  try {
    await host.idle()
    const { resources, timers, globals } = await host.reset()
    const alive = [...resources, ...(timers > 0 ? [`${timers} timer`] : []), ...globals.map((name) => `globalThis.${name}`)]
    holds(alive.length === 0 && host.output() === '',
      both('what an import leaves behind', 'những gì còn lại sau khi import'), both('nothing', 'không có gì'), shown(alive.length ? alive : host.output()))
  } finally {
    await theRun().giveHost(host, 'import-has-no-effect')
  }
})

/** These two look back at the whole run, so they come after all others. */
export function checksOfTheWholeRun(): void {
  lookBack('prints-nothing', () => theRun().printed.map(withoutIoredis).find((text) => text !== ''),
    both('The code printed something', 'Mã in ra màn hình'))
  lookBack('no-unhandled-rejection', () => theRun().unhandled[0],
    both('A rejection that nobody handled', 'Có promise bị từ chối mà không được xử lý'))
}

function lookBack(id: string, find: () => string | undefined, what: Text): void {
  test(id, async ({ task }) => {
    await theRun().hostsReturned()
    const found = find()?.slice(0, 300)
    const failed = found !== undefined
    const outcome: Outcome = {
      id, verdict: failed ? 'fail' : 'pass', blockedBy: null, durationMs: 0,
      message: failed ? both(`${what.en}: ${found}`, `${what.vi}: ${found}`) : null,
      evidence: failed ? { kind: 'values', did: null, expected: null, got: found, lanes: [], steps: [], diagnostics: [], stack: [] } : null,
    }
    task.meta.outcome = outcome
    if (failed) throw new CheckFailed(what)
  })
}

/** What ioredis itself prints about a duplicate without an `error` listener is not the learner's. */
function withoutIoredis(output: string): string {
  return output.replace(/\[ioredis\] Unhandled error event:.*\n(\s+at .*\n|.*errno.*\n|[\s\S]*?\}\n)*/g, '').trim()
}

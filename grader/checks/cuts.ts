import type { Step } from '#scoring/outcome.ts'
import { show, type Command } from '#wire/redis-wire.ts'
import { showReply } from '#wire/resp.ts'
import { settled, until } from './expectations.ts'
import type { Learner } from './learner.ts'
import type { Lane } from './run.ts'
import { both, CheckFailed } from './verdicts.ts'

export interface CutPlan<T> {
  /** Prepares the servers before every cut; they are empty when it is called. */
  setup?(): Promise<void>
  /** Before every cut, on the new connection, while it still works. */
  open?(learner: Learner): Promise<T>
  call(learner: Learner, opened: T): Promise<unknown>
  /** Looks at the server after the cut; throws CheckFailed when something is left half-done. `cut` frames had arrived. */
  audit(cut: number): Promise<void>
}

export interface Cuts {
  /** Lets only the first k frames of the call reach the server, for k = 0, 1, …, all of them; more than 60 fail. */
  explore<T = undefined>(plan: CutPlan<T>): Promise<void>
}

/** Every one is a run of its own. Right code sends a few; whoever hides a crash point behind many is not believed. */
const MOST_FRAMES = 60

export async function exploreCuts<T>(plan: CutPlan<T>, start: () => Promise<Learner>, lane: Lane | null): Promise<void> {
  const process = await start()
  for (let cut = 0; cut <= MOST_FRAMES; cut++) {
    await lane!.admin.flushdb()
    await plan.setup?.()
    const learner = await process.withRedis({ reconnects: false, retriesPerRequest: 0 })
    const opened = (await plan.open?.(learner)) as T
    const sent: Command[] = []
    let over = false
    learner.wire.gate = async (command) => {
      sent.push(command)
      if (sent.length <= cut) return 'pass'
      over = true
      // The server must have done what had arrived before the connection dies.
      await until(() => sent.slice(0, cut).every((c) => c.reply !== null), both('replies to the frames before the cut', 'phản hồi cho các frame trước điểm cắt'), 2000)
      learner.wire.down()
      return 'cut'
    }
    const result = await settled(plan.call(learner, opened))
    learner.wire.down()
    try {
      await plan.audit(cut)
    } catch (error) {
      throw error instanceof CheckFailed ? atCut(error, sent, cut) : error
    } finally {
      await learner.wire.close()
    }
    if (over) continue
    // A call that does nothing at all leaves nothing half-done either.
    if (cut === 0 && 'error' in result) throw result.error
    return
  }
  throw new CheckFailed(both(`The call sends more than ${MOST_FRAMES} commands: too many to crash after each.`,
    `Lời gọi gửi hơn ${MOST_FRAMES} lệnh: quá nhiều để thử ngắt sau từng lệnh.`), { expected: `≤ ${MOST_FRAMES}`, got: `> ${MOST_FRAMES}` })
}

function atCut(error: CheckFailed, sent: readonly Command[], cut: number): CheckFailed {
  const steps = sent.slice(0, cut + 1).map((command, i): Step => ({
    lane: 0, text: show(command), reply: command.reply && showReply(command.reply).slice(0, 80), mark: i === cut ? 'cut' : null,
  }))
  return new CheckFailed(error.text, { ...error.evidence, kind: 'cut', lanes: [both('your commands', 'các lệnh của bạn')], steps })
}

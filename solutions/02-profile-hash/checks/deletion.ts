import { both, CheckFailed, show, until, type Command, type Learner } from '#checks'
import type { Step } from '#scoring/outcome.ts'
import { showReply } from '#wire/resp.ts'

export interface DeletionPlan {
  /** Before every run. */
  setup(): Promise<void>
  call(): Promise<unknown>
  /** Comes between the commands of the call; `name` says what it is, for the timeline. */
  disturb(): Promise<unknown>
  readonly name: string
  /** After a run in which the disturbance came when `at` commands had been done; throws CheckFailed. */
  audit(at: number): Promise<void>
}

const MOST_COMMANDS = 60

/** Runs the call again and again; each time the disturbance comes one command later, until the call ends before it. */
export async function betweenAllCommands(learner: Learner, { setup, call, disturb, name, audit }: DeletionPlan): Promise<void> {
  for (let at = 0; at < MOST_COMMANDS; at++) {
    await setup()
    const sent: Command[] = []
    learner.wire.gate = async (command): Promise<'pass'> => {
      sent.push(command)
      if (sent.length !== at + 1) return 'pass'
      // The server must have done what it was sent before.
      await until(() => sent.slice(0, at).every(({ reply }) => reply !== null), both('replies to the earlier commands', 'phản hồi cho các lệnh trước'))
      await disturb()
      return 'pass'
    }
    try {
      await call()
    } finally {
      learner.wire.gate = null
    }
    if (sent.length <= at) return
    try {
      await audit(at)
    } catch (error) {
      throw error instanceof CheckFailed ? withTimeline(error, sent, at, name) : error
    }
  }
}

function withTimeline(error: CheckFailed, sent: readonly Command[], at: number, disturbance: string): CheckFailed {
  const steps = sent.map((command): Step => ({
    lane: 0, text: show(command), reply: command.reply && showReply(command.reply).slice(0, 80), mark: null,
  }))
  const lanes = [both('your commands', 'các lệnh của bạn'), both('somebody else', 'bên khác')]
  return new CheckFailed(error.text, {
    ...error.evidence, kind: 'interleaving', lanes, steps: steps.toSpliced(at, 0, { lane: 1, text: disturbance, reply: null, mark: null }),
  })
}

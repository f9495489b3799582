import { both, until, type Learner } from '#checks'

export interface DeletionPlan {
  /** Before every run. */
  setup(): Promise<void>
  call(): Promise<unknown>
  /** Comes between the commands of the call. */
  disturb(): Promise<unknown>
  /** After a run in which the disturbance came before command number `at`. */
  audit(at: number): Promise<void>
}

const MOST_COMMANDS = 60

/** Runs the call again and again; each time the disturbance comes one command later, until the call ends before it. */
export async function betweenAllCommands(learner: Learner, { setup, call, disturb, audit }: DeletionPlan): Promise<void> {
  for (let at = 0; at < MOST_COMMANDS; at++) {
    await setup()
    let disturbed = false
    learner.wire.forget()
    learner.wire.gate = async (command): Promise<'pass'> => {
      const earlier = learner.wire.commands().filter((other) => other !== command && other.fate === 'passed')
      if (disturbed || earlier.length < at) return 'pass'
      disturbed = true
      // The server must have done what it was sent before.
      await until(() => earlier.every(({ reply }) => reply !== null), both('replies to the earlier commands', 'phản hồi cho các lệnh trước'))
      await disturb()
      return 'pass'
    }
    try {
      await call()
    } finally {
      learner.wire.gate = null
    }
    if (!disturbed) return
    await audit(at)
  }
}

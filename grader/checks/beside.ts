import { settled } from './expectations.ts'
import type { Learner } from './learner.ts'

/**
 * Both clients of one process ask the same; then `doomed` is cut off, its questions still on their way. Gives what became
 * of the other's, which are no concern of theirs.
 */
export async function besideACutClient(doomed: Learner, sound: Learner, ask: (client: Learner) => Promise<unknown>): ReturnType<typeof settled> {
  doomed.wire.gate = () => new Promise(() => {})
  const asked = [doomed, sound].map((client) => settled(ask(client)))
  await sound.host.idle()
  doomed.wire.down()
  return (await Promise.all(asked))[1]!
}

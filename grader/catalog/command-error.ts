import type { Text } from './text.ts'

/** Something the person at the keyboard can put right: what happened, to which thing, and the next command. */
export class CommandError extends Error {
  readonly text: Text

  constructor(text: Text) {
    super(text.en)
    this.name = 'CommandError'
    this.text = text
  }
}

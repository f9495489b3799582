/** A sentence for learners, in both languages of the kit. */
export interface Text {
  readonly en: string
  readonly vi: string
}

export type Lang = keyof Text

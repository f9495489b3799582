/** The levels of the rubric, lowest first. */
export const levels = ['beginner', 'intermediate', 'advanced'] as const

export type Level = (typeof levels)[number]

/** The criteria of an exercise and their share of its 100 points. */
export const shares = {
  functionality: 40,
  codeQuality: 20,
  performance: 20,
  documentation: 10,
  errorHandling: 10,
} as const

export type Criterion = keyof typeof shares

export const criteria = Object.keys(shares) as readonly Criterion[]

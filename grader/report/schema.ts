import { z } from 'zod'
import { criteria as criterionNames } from '#catalog/levels.ts'

/**
 * The report as JSON: a public contract. Points carry one decimal, durations
 * are whole milliseconds, and every text is in the language that was asked for.
 */
const level = z.enum(['none', 'beginner', 'intermediate', 'advanced'])
const points = z.number().min(0).max(100)

const diagnostic = z.strictObject({
  file: z.string(),
  line: z.number().int(),
  column: z.number().int(),
  code: z.string(),
  message: z.string(),
  source: z.string(),
})

const step = z.strictObject({
  lane: z.number().int(),
  text: z.string(),
  reply: z.string().nullable(),
  mark: z.enum(['cut', 'lost', 'held', 'killed']).nullable(),
})

const evidence = z.strictObject({
  kind: z.enum(['values', 'interleaving', 'cut', 'commands', 'frames', 'diagnostics', 'error']),
  did: z.string().nullable(),
  expected: z.string().nullable(),
  got: z.string().nullable(),
  lanes: z.array(z.string()),
  steps: z.array(step),
  diagnostics: z.array(diagnostic),
  stack: z.array(z.string()),
})

const check = z.strictObject({
  id: z.string(),
  title: z.string(),
  level: level.exclude(['none']).nullable(),
  criterion: z.enum(criterionNames),
  skills: z.array(z.string()),
  weight: z.number().positive(),
  points,
  possible: points,
  verdict: z.enum(['pass', 'fail', 'skipped', 'inconclusive']),
  message: z.string().nullable(),
  evidence: evidence.nullable(),
  blockedBy: z.string().nullable(),
  durationMs: z.number().int().min(0),
})

const earned = z.strictObject({ earned: points, possible: points })

const exercise = z.strictObject({
  number: z.number().int().positive(),
  slug: z.string(),
  state: z.enum(['graded', 'untouched', 'not-graded', 'broken']),
  level,
  /** Null when not graded. */
  score: points.nullable(),
  durationMs: z.number().int().min(0),
  message: z.string().nullable(),
  criteria: z.strictObject({
    functionality: earned,
    codeQuality: earned,
    performance: earned,
    documentation: earned,
    errorHandling: earned,
  }),
  checks: z.array(check),
})

const service = z.strictObject({ version: z.string(), from: z.enum(['external', 'containers', 'processes']) })

export const reportSchema = z.strictObject({
  schema: z.literal('redis-kafka-kit/report@1'),
  exercises: z.array(exercise),
  skills: z.record(z.string(), z.enum(['shown', 'missing', 'not-graded'])),
  courseLevel: z.strictObject({ redis: level, kafka: level }),
  /** The mean over the exercises that have a score; null when none has. */
  total: z.strictObject({ score: points.nullable(), possible: z.literal(100) }),
  services: z.strictObject({ redis: service.nullable(), kafka: service.nullable() }),
  isolation: z.enum(['bubblewrap', 'container', 'permissions']),
  kit: z.string(),
})

/** Several submissions, in the order given; each is a report under the path that was typed. */
export const reportsSchema = z.strictObject({
  schema: z.literal('redis-kafka-kit/reports@1'),
  reports: z.array(z.strictObject({ submission: z.string(), ...reportSchema.shape })),
})

export type Report = z.infer<typeof reportSchema>
export type Reports = z.infer<typeof reportsSchema>
export type ExerciseReport = Report['exercises'][number]
export type CheckReport = ExerciseReport['checks'][number]
export type EvidenceReport = z.infer<typeof evidence>
export type DiagnosticReport = z.infer<typeof diagnostic>

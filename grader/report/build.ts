import { createRequire } from 'node:module'
import type { Lang, Text } from '#catalog/text.ts'
import { courseLevels, skillStates, type Scored } from '#scoring/mastery.ts'
import type { Evidence } from '#scoring/outcome.ts'
import { score, type ScoredCheck } from '#scoring/score.ts'
import type { Graded } from '../grade.types.ts'
import type { CheckReport, EvidenceReport, ExerciseReport, Report } from './schema.ts'

/** One report over the exercises of one submission, in the order they were graded. */
export function buildReport(all: readonly Graded[], lang: Lang): Report {
  const scored = all.map((graded) => ({ graded, score: score(graded.exercise, graded) }))
  const skills = skillStates(scored)
  return {
    schema: 'redis-kafka-kit/report@1',
    exercises: scored.map((one) => exerciseReport(one, lang)),
    skills,
    courseLevel: courseLevels(skills),
    total: { score: mean(scored.flatMap((one) => one.score.score ?? [])), possible: 100 },
    services: {
      redis: all.find(({ services }) => services.redis)?.services.redis ?? null,
      kafka: all.find(({ services }) => services.kafka)?.services.kafka ?? null,
    },
    isolation: (all.find(({ outcomes }) => outcomes.length > 0) ?? all[0])?.isolation ?? 'permissions',
    kit: kitVersion(),
  }
}

function exerciseReport({ graded, score }: Scored, lang: Lang): ExerciseReport {
  return {
    number: graded.exercise.number,
    slug: graded.exercise.slug,
    state: graded.state,
    level: score.level,
    score: score.score,
    durationMs: Math.round(graded.durationMs),
    message: inLang(graded.message, lang),
    criteria: score.criteria,
    checks: score.checks.map((check) => checkReport(check, lang)),
  }
}

function checkReport({ check, outcome, points, possible }: ScoredCheck, lang: Lang): CheckReport {
  return {
    id: check.id,
    title: check.title[lang],
    level: check.level,
    criterion: check.criterion,
    skills: [...check.skills],
    weight: check.weight,
    points,
    possible,
    verdict: outcome.verdict,
    message: inLang(outcome.message, lang),
    evidence: outcome.evidence && evidenceReport(outcome.evidence, lang),
    blockedBy: outcome.blockedBy,
    durationMs: Math.round(outcome.durationMs),
  }
}

function evidenceReport(evidence: Evidence, lang: Lang): EvidenceReport {
  return {
    kind: evidence.kind,
    did: inLang(evidence.did, lang),
    expected: inLang(evidence.expected, lang),
    got: inLang(evidence.got, lang),
    lanes: evidence.lanes.map((lane) => lane[lang]),
    steps: evidence.steps.map(({ lane, text, reply, mark }) => ({ lane, text, reply, mark })),
    diagnostics: evidence.diagnostics.map(({ file, line, column, code, message, source }) => {
      return { file, line, column, code, message, source }
    }),
    stack: [...evidence.stack],
  }
}

function inLang(text: Text | string | null, lang: Lang): string | null {
  return text === null || typeof text === 'string' ? text : text[lang]
}

function mean(scores: readonly number[]): number | null {
  if (scores.length === 0) return null
  return Math.round((scores.reduce((total, score) => total + score, 0) / scores.length) * 10) / 10
}

function kitVersion(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version
}

import { readFileSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import { z } from 'zod'
import { CommandError } from './command-error.ts'
import { criteria, levels } from './levels.ts'
import { nearest } from './nearest.ts'
import { skills } from './skills.ts'

/** `exercises/<slug>/rubric.yaml`. Throws CommandError naming the file, the check and the field. */
export function parseRubric(file: string, shownAs: string) {
  return read(file, shownAs, rubric)
}

/** `exercises/common.rubric.yaml`: the checks that every exercise has. */
export function parseCommonRubric(file: string, shownAs: string) {
  return read(file, shownAs, commonRubric)
}

/** `exercises/<slug>/hints.yaml`: three progressive hints, and one for each frequent mistake. */
export function parseHints(file: string, shownAs: string) {
  return read(file, shownAs, hints)
}

const text = z.strictObject({ en: z.string().min(1), vi: z.string().min(1) })

const id = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case words joined by hyphens')

const skill = z.string().superRefine((name, context) => {
  if (skills.has(name)) return
  const meant = nearest(name, skills.keys())
  const advice = meant ? `did you mean ${meant}?` : 'grader/catalog/skills.ts lists them all'
  context.addIssue({ code: 'custom', message: `is no skill of the course; ${advice}` })
})

const commonCheck = z.strictObject({
  id,
  title: text,
  criterion: z.enum(criteria),
  weight: z.number().positive(),
})

const ownCheck = commonCheck.extend({
  level: z.enum(levels),
  skills: z.array(skill).min(1),
})

const commonRubric = z.strictObject({ checks: uniqueIds(z.array(commonCheck)) })

const rubric = z.strictObject({
  title: text,
  services: z.array(z.enum(['redis', 'kafka'])).min(1),
  exports: z.record(z.string(), z.enum(['function', 'class'])),
  checks: uniqueIds(z.array(ownCheck).min(1)),
})

const hints = z.strictObject({
  hints: z.array(text).length(3, 'must be three hints, each saying a little more'),
  mistakes: z.array(z.strictObject({ check: id, hint: text })).default([]),
})

function uniqueIds<T extends { id: string }>(checks: z.ZodType<T[]>) {
  return checks.superRefine((list, context) => {
    const seen = new Set<string>()
    for (const [index, check] of list.entries()) {
      if (seen.has(check.id)) {
        context.addIssue({ code: 'custom', path: [index, 'id'], message: 'is used by an earlier check too' })
      }
      seen.add(check.id)
    }
  })
}

function read<T>(file: string, shownAs: string, schema: z.ZodType<T>): T {
  const data = parseYaml(file, shownAs)
  const result = schema.safeParse(data)
  if (result.success) return result.data
  const lines = result.error.issues.flatMap((issue) => describe(issue, data))
  throw wrong(shownAs, lines)
}

function parseYaml(file: string, shownAs: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof YAMLParseError) throw wrong(shownAs, [error.message.trimEnd()])
    throw wrong(shownAs, ['cannot be read'])
  }
}

/** An issue in an author's words: which check, which field, what is wrong with it. */
function describe(issue: z.core.$ZodIssue, data: unknown): string[] {
  const path = issue.path.map(String)
  const keys = issue.code === 'unrecognized_keys' ? issue.keys : [null]
  return keys.map((key) => {
    const [head, index, ...rest] = path
    const inCheck = head === 'checks' && index !== undefined
    const field = [...(inCheck ? rest : path), ...(key ? [key] : [])].join('.')
    const where = [inCheck && `check ${nameOf(data, Number(index))}`, field && `field ${field}`].filter(Boolean)
    const what = key ? 'is not known' : sentence(issue)
    return where.length ? `${where.join(', ')}: ${what}` : what
  })
}

function nameOf(data: unknown, index: number): string {
  const checks = (data as { checks: { id?: unknown }[] }).checks
  const name = checks[index]?.id
  return typeof name === 'string' ? name : `number ${index + 1}`
}

function sentence(issue: z.core.$ZodIssue): string {
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
  return missing ? `is missing (${issue.expected})` : issue.message.replace(/^Invalid (input|option): /, '')
}

function wrong(file: string, lines: readonly string[]): CommandError {
  const list = lines.map((line) => `  ${line}`).join('\n')
  return new CommandError({
    en: `${file} needs a correction before anything can be graded:\n${list}`,
    vi: `Cần sửa ${file} trước khi chấm:\n${list}`,
  })
}

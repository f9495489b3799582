import type { Level } from './levels.ts'

export const courses = ['redis', 'kafka'] as const

export type Course = (typeof courses)[number]

/** The cells of the rubric's skill matrix, in the order reports show them: `redis/rate-limiting`, … */
export const skills: ReadonlyMap<string, { readonly course: Course; readonly level: Level }> = new Map([
  ...cells('redis', 'beginner', ['data-types', 'simple-cache', 'strings']),
  ...cells('redis', 'intermediate', ['structures', 'leaderboard', 'rate-limiting', 'pub-sub']),
  ...cells('redis', 'advanced', ['lock', 'lua', 'patterns', 'performance']),
  ...cells('kafka', 'beginner', ['produce-consume', 'single-topic', 'serialization']),
  ...cells('kafka', 'intermediate', ['multiple-consumers', 'groups', 'error-handling', 'offsets']),
  ...cells('kafka', 'advanced', ['stream-processing', 'exactly-once', 'aggregations', 'monitoring']),
])

function cells(course: Course, level: Level, names: readonly string[]) {
  return names.map((name) => [`${course}/${name}`, { course, level }] as const)
}

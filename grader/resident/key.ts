import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { kitFolder } from '#catalog/exercise.ts'
import { hash } from '#services/place.ts'

/** Changes with every file a grader has loaded, and with every variable it goes by: then another one must be started. */
export function residentKey(): string {
  const files = [
    ...inside('grader', (name) => /\.(ts|xml|properties)$/.test(name) && !name.endsWith('.test.ts')),
    ...inside('solutions', (name) => /[\\/]checks[\\/]/.test(name)),
    ...inside('exercises', (name) => name.endsWith('.yaml')),
    ...inside('.', (name) => name === 'package-lock.json', false),
  ]
  const seen = files.map((file) => {
    const { size, mtimeMs } = statSync(file)
    return `${file} ${size} ${mtimeMs}`
  })
  const variables = Object.entries(process.env).filter(([name]) => RELEVANT.test(name)).sort()
  return hash(JSON.stringify([process.version, seen, variables]))
}

const RELEVANT = /^(PATH|HOME|JAVA_HOME|XDG_CACHE_HOME|REDIS_URL|KAFKA_BROKERS|KIT_.*|(DOCKER|TESTCONTAINERS|MAVEN)_.*|.*_proxy)$/i

function inside(folder: string, wanted: (name: string) => boolean, recursive = true): string[] {
  const root = join(kitFolder, folder)
  try {
    return readdirSync(root, { recursive, encoding: 'utf8' }).filter(wanted).sort().map((name) => join(root, name))
  } catch {
    // A handout lacks some of them.
    return []
  }
}

import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** The full path of a program, or null when the PATH has none by that name. */
export function onPath(program: string): string | null {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    if (!isAbsolute(dir)) continue
    const path = join(dir, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      continue
    }
  }
  return null
}

const packages = {
  redis: { brew: 'redis', apt: 'redis-server' },
  java: { brew: 'openjdk', apt: 'default-jre-headless' },
  maven: { brew: 'maven', apt: 'maven' },
} as const

/** The command that installs something on this kind of machine. */
export function install(what: keyof typeof packages): string {
  const { brew, apt } = packages[what]
  return process.platform === 'darwin' ? `brew install ${brew}` : `sudo apt install ${apt}`
}

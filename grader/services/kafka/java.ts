import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { install, onPath } from '#services/machine.ts'
import { Obstacle } from '#services/unavailable.ts'

export interface Java {
  readonly command: string
  /** Such as `17.0.15`. */
  readonly version: string
  readonly major: number
}

const oldest = 17

/** The Java of JAVA_HOME, else of the PATH. Throws an Obstacle when there is none or it is too old for Kafka. */
export function findJava(): Java {
  const home = process.env.JAVA_HOME
  const command = home ? join(home, 'bin', 'java') : onPath('java')
  if (!command || !existsSync(command)) {
    throw new Obstacle(
      home
        ? { en: `JAVA_HOME is ${home}, where there is no Java`, vi: `JAVA_HOME là ${home}, nơi không có Java` }
        : { en: 'Java, which runs Kafka, is not installed', vi: 'máy chưa cài Java để chạy Kafka' },
      home ? 'unset JAVA_HOME' : install('java'),
    )
  }
  const version = versionOf(realpathSync(command))
  const major = Number.parseInt(version, 10)
  if (major >= oldest) return { command, version, major }
  throw new Obstacle(
    {
      en: `Kafka needs Java ${oldest} or newer, and ${command} is ${version}`,
      vi: `Kafka cần Java ${oldest} trở lên, còn ${command} là ${version}`,
    },
    install('java'),
  )
}

/** Every JDK since 9 tells its version in a file; asking the program itself takes ten times longer. */
function versionOf(command: string): string {
  try {
    const release = readFileSync(join(dirname(dirname(command)), 'release'), 'utf8')
    return /^JAVA_VERSION="([^"]+)"/m.exec(release)![1]
  } catch {
    const output = execFileSync(command, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    return /\d[\d.]*/.exec(output)?.[0] ?? '0'
  }
}

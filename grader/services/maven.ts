import { execFile } from 'node:child_process'
import { promisify, stripVTControlCharacters } from 'node:util'
import { install, onPath } from './machine.ts'
import { Obstacle } from './unavailable.ts'

const run = promisify(execFile)

/** Puts the jars a POM asks for into `dir`. Throws an Obstacle when Maven is missing or cannot fetch `what`. */
export async function mavenJars(what: 'Redis' | 'Kafka', pom: string, dir: string): Promise<void> {
  const maven = onPath('mvn')
  if (!maven) {
    throw new Obstacle(
      { en: `Maven, which would fetch ${what}, is not installed`, vi: `máy chưa cài Maven để tải ${what} về` },
      install('maven'),
    )
  }
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies'
  const args = ['-B', '-q', '-f', pom, goal, '-DincludeScope=runtime', `-DoutputDirectory=${dir}`]
  try {
    await run(maven, args, { timeout: 300_000, maxBuffer: 16 << 20 })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    const reason = firstError(`${stdout}\n${stderr}`)
    throw new Obstacle(
      {
        en: `Maven could not fetch ${what} (${reason}); is this machine online?`,
        vi: `Maven không tải được ${what} (${reason}); máy có kết nối mạng không?`,
      },
      `mvn -f ${pom} ${goal} -DoutputDirectory=/tmp/jars`,
    )
  }
}

function firstError(output: string): string {
  const line = output.split('\n').find((text) => text.includes('ERROR')) ?? output.trim().split('\n')[0]
  return stripVTControlCharacters(line).replace('[ERROR]', '').trim().slice(0, 200) || 'no reason given'
}

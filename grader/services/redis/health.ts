import { openLine, type Address, type Credentials, type Line } from './ask.ts'

/** Whether a server answers PING within half a second. */
export async function isAlive(address: Address, login: Credentials): Promise<boolean> {
  try {
    const line = await openLine(address, login, 500)
    const reply = await line.ask('PING')
    line.close()
    return reply === 'PONG'
  } catch {
    return false
  }
}

/** The server's version, such as `7.0.15`; Valkey tells its own beside the one of Redis it is compatible with. */
export async function versionOf(line: Line): Promise<string> {
  const info = String(await line.ask('INFO', 'server'))
  return /valkey_version:(\S+)/.exec(info)?.[1] ?? /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown'
}

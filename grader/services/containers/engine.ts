import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Obstacle } from '#services/unavailable.ts'

const pingMs = 300

/** The address of a Docker engine that answers, as DOCKER_HOST tells it. Throws an Obstacle within 300 ms otherwise. */
export async function findEngine(): Promise<string> {
  const hosts = candidates()
  const answers = await Promise.all(hosts.map((host) => ping(host)))
  const found = hosts[answers.indexOf('ok')]
  if (found) return found
  const refusing = hosts[answers.indexOf('refused')]
  if (refusing) {
    throw new Obstacle(
      {
        en: `Docker at ${refusing} refuses this user`,
        vi: `Docker tại ${refusing} từ chối người dùng hiện tại`,
      },
      'sudo usermod -aG docker $USER && newgrp docker',
    )
  }
  const where = process.env.DOCKER_HOST ?? '/var/run/docker.sock'
  throw new Obstacle(
    { en: `no Docker engine answers at ${where}`, vi: `không có Docker engine nào trả lời tại ${where}` },
    process.platform === 'darwin' ? 'open -a Docker' : 'sudo systemctl start docker',
  )
}

/** Removes containers that a killed keeper left; those that are gone already, or whose engine is, need nothing. */
export async function removeContainers(containers: readonly { id: string; dockerHost: string }[]): Promise<void> {
  await Promise.all(containers.map(({ id, dockerHost }) =>
    ask(dockerHost, 'DELETE', `/containers/${id}?force=true&v=true`, 10_000).catch(() => 0)))
}

function candidates(): string[] {
  if (process.env.DOCKER_HOST) return [process.env.DOCKER_HOST]
  return ['/var/run', process.env.XDG_RUNTIME_DIR, join(homedir(), '.docker', 'run')]
    .filter((dir) => dir !== undefined)
    .map((dir) => join(dir, 'docker.sock'))
    .filter(existsSync)
    .map((path) => `unix://${path}`)
}

async function ping(dockerHost: string): Promise<'ok' | 'refused' | 'silent'> {
  // Behind TLS or ssh only the Docker client itself can ask; it does when it starts a container.
  if (!/^(unix|tcp|http):/.test(dockerHost) || process.env.DOCKER_TLS_VERIFY) return 'ok'
  try {
    return (await ask(dockerHost, 'GET', '/_ping', pingMs)) === 200 ? 'ok' : 'refused'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'refused' : 'silent'
  }
}

function ask(dockerHost: string, method: string, path: string, timeoutMs: number): Promise<number> {
  const { protocol, hostname, port, pathname } = new URL(dockerHost)
  const place = protocol === 'unix:' ? { socketPath: pathname } : { host: hostname, port: port || 2375 }
  return new Promise((resolve, reject) => {
    request({ ...place, method, path, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    }).on('error', reject).end()
  })
}

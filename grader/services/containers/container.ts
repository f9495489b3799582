import { getContainerRuntimeClient, GenericContainer, Wait, type StartedTestContainer } from 'testcontainers'
import { forgetContainer, rememberContainer } from '#services/keeper/registry.ts'
import { Obstacle } from '#services/unavailable.ts'
import { findEngine } from './engine.ts'

export interface Container {
  readonly host: string
  /** The port on `host` that leads to the container's. */
  readonly port: number
  readonly labels: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export interface Recipe {
  readonly image: string
  readonly command?: string[]
  /** The container's port; `hostPort` when it must be known before the start. */
  readonly port: number
  readonly hostPort?: number
  readonly file: { readonly target: string; readonly content: string }
}

/** Whether the engine runs on this machine, so that its ports need not be open to others. */
export async function engineHost(): Promise<string> {
  await findEngine()
  const { info } = await getContainerRuntimeClient()
  return info.containerRuntime.host === 'localhost' ? '127.0.0.1' : info.containerRuntime.host
}

/** Starts a container and does not wait for what runs in it. Throws an Obstacle. */
export async function startContainer({ image, command, port, hostPort, file }: Recipe): Promise<Container> {
  const dockerHost = await findEngine()
  const host = await engineHost()
  const container = new KeptContainer(image, dockerHost)
    .withExposedPorts(hostPort ? { container: port, host: hostPort } : port)
    .withCopyContentToContainer([{ ...file, mode: 0o644 }])
    // An image from scratch has no shell for a probe inside; the service itself is asked from outside.
    .withWaitStrategy(Wait.forAll([]))
  if (command) container.withCommand(command)
  if (host === '127.0.0.1') container.bindToLoopback()
  const started = await container.start().catch((error: unknown) => {
    const reason = String(error instanceof Error ? error.message : error).split('\n')[0]
    throw new Obstacle(
      { en: `Docker could not start ${image} (${reason})`, vi: `Docker không khởi động được ${image} (${reason})` },
      `docker pull ${image}`,
    )
  })
  return { host, port: started.getMappedPort(port), labels: started.getLabels(), stop: () => stop(started) }
}

async function stop(started: StartedTestContainer): Promise<void> {
  await started.stop({ timeout: 0 }).catch(() => {})
  forgetContainer(started.getId())
}

/** Known to the registry before it runs, and reachable from this machine only. */
class KeptContainer extends GenericContainer {
  private readonly dockerHost: string

  constructor(image: string, dockerHost: string) {
    super(image)
    this.dockerHost = dockerHost
  }

  bindToLoopback(): void {
    for (const binding of Object.values(this.hostConfig.PortBindings as Record<string, { HostIp?: string }[]>).flat()) {
      binding.HostIp = '127.0.0.1'
    }
  }

  protected override async containerCreated(id: string): Promise<void> {
    rememberContainer(id, this.dockerHost)
  }
}

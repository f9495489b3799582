import { createServer, type AddressInfo, type Server } from 'node:net'

/** Two ports of this machine's loopback that nobody listens on at the moment. */
export async function freePorts(): Promise<[number, number]> {
  const servers = await Promise.all([listen(0), listen(0)])
  const [first, second] = servers.map((server) => (server!.address() as AddressInfo).port)
  for (const server of servers) server!.close()
  return [first, second]
}

/** Whether all of these ports could be listened on right now. */
export async function areFree(...ports: number[]): Promise<boolean> {
  const servers = await Promise.all(ports.map(listen))
  for (const server of servers) server?.close()
  return servers.every((server) => server !== null)
}

function listen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null)).listen(port, '127.0.0.1', () => resolve(server))
  })
}

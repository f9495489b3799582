/** What makes sub-second checks possible: nothing waits for company, nothing is kept for later. */
const quick = {
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 100,
  'offsets.topic.num.partitions': 1,
  'offsets.topic.replication.factor': 1,
  'transaction.state.log.num.partitions': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'controller.quorum.append.linger.ms': 0,
  'group.coordinator.append.linger.ms': 0,
  'log.cleaner.dedupe.buffer.size': 2_097_152,
  'log.initial.task.delay.ms': 100,
  'log.segment.delete.delay.ms': 1000,
  'num.network.threads': 2,
  'num.io.threads': 4,
  'background.threads': 2,
  'auto.create.topics.enable': false,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
}

/**
 * The server.properties of a one-node broker. `advertised` (host:port) is what clients are told to connect to. Where a
 * broker cannot reach itself there, as in a container, it talks to itself at `internalPort`.
 */
export function properties({ bind, port, controllerPort, internalPort, advertised, dataDir }: {
  bind: string
  port: number
  controllerPort: number
  internalPort?: number
  advertised: string
  dataDir: string
}): string {
  const internal = internalPort ? `,INTERNAL://127.0.0.1:${internalPort}` : ''
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'listeners': `PLAINTEXT://${bind}:${port},CONTROLLER://127.0.0.1:${controllerPort}${internal}`,
    'advertised.listeners': `PLAINTEXT://${advertised}${internal}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': internalPort ? 'INTERNAL' : 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT',
    'log.dirs': dataDir,
    ...quick,
  }).map(([name, value]) => `${name}=${value}\n`).join('')
}

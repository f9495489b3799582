import { connect } from 'node:net'

const apiVersions = 18
/** ApiVersions version 0, correlation id 1, no client id, in a frame of 10 bytes. */
const request = Buffer.from([0, 0, 0, 10, 0, apiVersions, 0, 0, 0, 0, 0, 1, 0xff, 0xff])

/** Whether a broker at this address answers a first request in time. Never throws. */
export function answersKafka(host: string, port: number, timeoutMs = 1000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => socket.write(request))
    const finish = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(timeoutMs, () => finish(false))
    // The correlation id comes back: something else that listens here would hardly send it.
    socket.once('data', (reply: Buffer) => finish(reply.length >= 8 && reply.readInt32BE(4) === 1))
    socket.once('error', () => finish(false)).once('close', () => finish(false))
  })
}

import net from 'node:net'
import { API } from '#wire/kafka-wire.ts'

/**
 * Tells the coordinator that members of a group have left, as it would find out by itself when their sessions end:
 * LeaveGroup, version 3 (https://kafka.apache.org/protocol#The_Messages_LeaveGroup). kafkajs only lets a member leave itself.
 */
export async function expelMembers(broker: string, group: string, members: readonly string[]): Promise<void> {
  const parts = [text(group), int32(members.length), ...members.flatMap((member) => [text(member), NULL_TEXT])]
  const header = Buffer.concat([int16(API.LeaveGroup), int16(3), int32(1), text('grader')])
  const body = Buffer.concat([header, ...parts])
  const [host, port] = broker.split(':')
  const socket = net.connect({ host: host!, port: Number(port) })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('data', () => resolve()).once('error', reject).once('close', () => reject(new Error('the broker closed the connection')))
      socket.write(Buffer.concat([int32(body.length), body]))
    })
  } finally {
    socket.destroy()
  }
}

const NULL_TEXT = int16(-1)

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

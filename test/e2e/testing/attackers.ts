// What attacks are made of: many sockets at once, an ordinary client beside them, and the memory of the server.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { ApiVersions, decodeResponse, encodeRequest, FrameSplitter } from '@local-kafka-service/protocol'

export interface Sockets extends AsyncDisposable {
  readonly sockets: readonly Socket[]
  /** How many the server has closed by now. */
  closedCount(): number
}

/** Connects one after another; a socket that the server closes later is counted. */
export async function openSockets(port: number, count: number): Promise<Sockets> {
  const sockets: Socket[] = []
  let closed = 0
  for (let opened = 0; opened < count; opened++) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.on('error', () => {}) // a reset is what some attacks are answered with; it counts as closed
    socket.on('close', () => closed++)
    sockets.push(socket)
  }
  return {
    sockets,
    closedCount: () => closed,
    async [Symbol.asyncDispose]() {
      const open = sockets.filter(({ closed: gone }) => !gone)
      const all = Promise.all(open.map((socket) => once(socket, 'close')))
      for (const socket of open) socket.destroy()
      await all
    },
  }
}

/** A new client connects, asks what every client asks first, and is answered. Rejects when its connection ends instead. */
export async function ordinaryClientIsServed(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    for (const chunk of encodeRequest(ApiVersions, { version: 0, correlationId: 7, clientId: 'ordinary' }, {})) socket.write(chunk)
    const frames = new FrameSplitter({ maxBytes: 1_000_000 })
    for await (const chunk of socket) {
      // The cast: a socket without an encoding gives bytes.
      frames.push(chunk as Uint8Array)
      const frame = frames.take()
      if (frame === undefined) continue
      if (decodeResponse(ApiVersions, 0, frame).response.errorCode === 0) return
      throw new Error('the ordinary client was answered with an error')
    }
    throw new Error('the ordinary client was closed')
  } finally {
    socket.destroy()
  }
}

/** The resident set of a process; 0 where the system does not tell. */
export function residentMiB(pid: number): number {
  if (process.platform !== 'linux') return 0
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

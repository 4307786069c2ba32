// Reads accepted sockets into one buffer that is used again (docs/adr/0012-memory-used-again.md).
import { Socket as TcpSocket } from 'node:net'
import { fixedLimits } from '../limits.ts'

/** Shared by all sockets of the process: Node reads one of them at a time, and each chunk is consumed before the next read. */
let shared: Buffer | undefined

/**
 * The accepted socket, paused, or another one with its handle; use only the returned one. From `resume` on, `onChunk` is called with the bytes that arrive, which are
 * valid during the call only. A server has no option for this, so the handle is taken from the socket: a property that Node does not document. Without it, the
 * socket reads as usual, into a new buffer for each chunk.
 */
export function readInto(accepted: TcpSocket, onChunk: (chunk: Uint8Array) => void): TcpSocket {
  const handle = handleOf(accepted)
  if (handle === undefined) return accepted.on('data', onChunk)
  shared ??= Buffer.allocUnsafeSlow(fixedLimits.socketReadBytes)
  const onread = {
    buffer: shared,
    callback(sizeBytes: number, buffer: Uint8Array): boolean {
      onChunk(buffer.subarray(0, sizeBytes))
      return true
    },
  }
  // Node's types do not have `handle`, the option by which its own server makes the accepted socket.
  return new TcpSocket({ handle, onread, manualStart: true } as ConstructorParameters<typeof TcpSocket>[0])
}

/** Undefined if this Node keeps it elsewhere. */
function handleOf(accepted: TcpSocket): object | undefined {
  const handle: unknown = '_handle' in accepted ? accepted._handle : undefined
  const readsIntoBuffers = typeof handle === 'object' && handle !== null && 'useUserBuffer' in handle
  return readsIntoBuffers ? handle : undefined
}

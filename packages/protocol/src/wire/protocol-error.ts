// What decoding throws: bytes that are no legal message. The connection that sent them has nothing more to say that can be understood.

export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

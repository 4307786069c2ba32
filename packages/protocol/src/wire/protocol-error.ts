// What decoding throws: bytes that are no legal message. The connection that sent them has nothing more to say that can be understood.

/** Thrown for bytes that are no legal message, and for values that a version cannot carry. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  /** The protocol that the bytes belong to, where their beginning says so. */
  readonly looksLike: 'TLS' | 'HTTP' | undefined

  constructor(message: string, { looksLike, ...options }: ErrorOptions & { readonly looksLike?: 'TLS' | 'HTTP' | undefined } = {}) {
    super(message, options)
    this.looksLike = looksLike
  }
}

// The error that decoding throws. The server cannot read anything further from the connection that sent the bytes.

/** Thrown for bytes that are not a valid message, and for values that a version cannot carry. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  /** The protocol that the first bytes look like, if it is one of these. */
  readonly looksLike: 'TLS' | 'HTTP' | undefined

  constructor(message: string, { looksLike, ...options }: ErrorOptions & { readonly looksLike?: 'TLS' | 'HTTP' | undefined } = {}) {
    super(message, options)
    this.looksLike = looksLike
  }
}

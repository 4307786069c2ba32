// What a call on an embedded Kafka rejects with when the server says no.

/** The server said no, as it would to a client; the message says why. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  /** Kafka's name of the error: `TOPIC_ALREADY_EXISTS`. */
  readonly code: string

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

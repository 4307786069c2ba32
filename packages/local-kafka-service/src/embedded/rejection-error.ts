// The error of a call on an embedded server that the server rejects.

/** The server rejected the call, as it would reject a client's; the message gives the reason. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  /** Kafka's name of the error: `TOPIC_ALREADY_EXISTS`. */
  readonly code: string

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

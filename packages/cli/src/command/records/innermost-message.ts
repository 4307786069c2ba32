// The message of the original error, which libraries wrap in errors that count the attempts.

/** Without its full stop, so that it can be part of a sentence. */
export function innermostMessage(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return innermostMessage(error.errors.at(-1))
  if (!(error instanceof Error)) return String(error)
  const message = error.message.replace(/\.$/, '')
  return error.cause instanceof Error ? `${message} (${innermostMessage(error.cause)})` : message
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

// What an error says happened, where libraries wrap it in others that say how often it was tried.

/** Without its full stop, so that a sentence can go on. */
export function innermostMessage(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return innermostMessage(error.errors.at(-1))
  if (!(error instanceof Error)) return String(error)
  const message = error.message.replace(/\.$/, '')
  return error.cause instanceof Error ? `${message} (${innermostMessage(error.cause)})` : message
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

// Whether a request failed before any of it was sent: the client library shows that only in the text of its errors.

/** True if every attempt in the error failed to open a connection. */
export function isConnectFailure(error: unknown): boolean {
  const attempts = attemptsIn(error)
  return (
    attempts.length > 0 &&
    attempts.every(({ message }) => /^Connection to .+ (failed|timed out)\.$|^Connection closed while waiting for ready/.test(message))
  )
}

/** The errors of single attempts, in order: the library nests them by broker and by retry. */
function attemptsIn(error: unknown): readonly Error[] {
  if (!(error instanceof Error)) return []
  return error instanceof AggregateError && error.errors.length > 0 ? (error.errors as readonly unknown[]).flatMap(attemptsIn) : [error]
}

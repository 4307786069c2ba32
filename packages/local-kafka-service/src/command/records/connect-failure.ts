// Whether a request failed before anything of it was sent: the client library tells it by the words of its errors only.

/** True where every attempt in the error failed to make a connection. */
export function isConnectFailure(error: unknown): boolean {
  const attempts = attemptsIn(error)
  return (
    attempts.length > 0 &&
    attempts.every(({ message }) => /^Connection to .+ (failed|timed out)\.$|^Connection closed while waiting for ready/.test(message))
  )
}

/** The errors of single attempts, in their order: the library nests them by brokers and by retries. */
function attemptsIn(error: unknown): readonly Error[] {
  if (!(error instanceof Error)) return []
  return error instanceof AggregateError && error.errors.length > 0 ? (error.errors as readonly unknown[]).flatMap(attemptsIn) : [error]
}

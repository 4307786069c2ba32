// A limit on a wait of a run: what takes too long is an error that says what the run waited for.

interface Waiting {
  /** For the error: `the agent blue is ready`. */
  readonly what: string | (() => string)
  readonly limitMs: number
}

/** Settles as the promise does, or rejects after the limit. */
export async function within<T>(promise: Promise<T>, { what, limitMs }: Waiting): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error(`after ${limitMs / 1_000} s this was not so: ${typeof what === 'string' ? what : what()}`))
  }, limitMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

// Waits that end with a signal and leave no listener on it: racing against one long-lived promise would keep every wait in memory.

/** The value, or 'aborted' if the signal aborts first. Rejects when the promise does. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | 'aborted'> {
  const { promise: aborted, resolve } = Promise.withResolvers<'aborted'>()
  const onAbort = (): void => resolve('aborted')
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** The input until its end or until the signal aborts; the rest stays unread. */
export async function* untilAborted<T>(input: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const steps = input[Symbol.asyncIterator]()
  while (!signal.aborted) {
    const step = await orAborted(steps.next(), signal)
    if (step === 'aborted' || step.done === true) return
    yield step.value
  }
}

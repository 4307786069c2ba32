// Waits that end when a signal aborts. Only this file listens to signals: a signal may outlive many waits, and each must remove its listener.

/** Calls `callback` once when the signal aborts, at once if it has. Returns a function that removes the listener. */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) return ignore
  if (signal.aborted) {
    callback()
    return ignore
  }
  signal.addEventListener('abort', callback, { once: true })
  return () => signal.removeEventListener('abort', callback)
}

/**
 * Settles as the promise does, or, as soon as the signal aborts, with what `aborted` returns or throws: by default the signal's reason. If the signal has
 * aborted, the promise does not count. A later result of the promise is ignored, also a rejection.
 */
export function orAborted<T, A = never>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  aborted: (signal: AbortSignal) => A = throwReason,
): Promise<T | A> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const release = onAbort(signal, () => {
      try {
        resolve(aborted(signal))
      } catch (error) {
        reject(error)
      }
    })
    promise.then(resolve, reject).finally(release)
  })
}

function throwReason(signal: AbortSignal): never {
  throw signal.reason
}

function ignore(): void {}

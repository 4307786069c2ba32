// The error of a wait on an embedded server that timed out: its message lists what was there instead.

/** `waitFor`, `ready` or `caughtUp` timed out. The message lists what was there instead: topics, last records, groups, clients. */
export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError'
}

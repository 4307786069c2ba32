// What a wait on an embedded Kafka rejects with when its time is over: its message says what was there instead.

/** `waitFor`, `ready` or `caughtUp` waited in vain. The message shows what was there instead: topics, last records, groups, clients. */
export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError'
}

// The options that all waits of an embedded server have.

/** The time-out of a wait, in real time. */
export interface WaitOptions {
  /** Default: the `timeoutMs` of `startKafka`, otherwise 4,000. */
  readonly timeoutMs?: number
}

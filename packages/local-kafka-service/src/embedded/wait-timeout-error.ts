// What a wait on an embedded Kafka rejects with when its time is over: its message says what was there instead.

export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError'
}

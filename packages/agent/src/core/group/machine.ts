// The contract of a coordinator machine: requests in, changes and replies out, no side effect in between.

/**
 * One coordinator's rules over one state. A single runner takes one turn at a time: handle or wake → apply every change → save the journal's changes.
 * It sends a reply when the save of its step is definite. Nothing here is asynchronous, reads a clock or is random: the runner passes times and ids.
 *
 * To reload, the runner applies every change of the journal to a new machine, in any order; then `nextWake()` requests a turn at once.
 */
export interface Machine<Request, Reply, C extends Change, Task = never> {
  /** Reads the state and changes nothing. Every request is answered exactly once, in this step or in a later one. `nowMs` never goes back. */
  handle(request: Request, from: RequestId, nowMs: number): Step<Reply, C, Task>
  /** Handles everything that is due. Calling it too early is harmless. */
  wake(nowMs: number): Step<Reply, C, Task>
  /** The only mutator, also on reload. Only the last change of a key counts. */
  apply(change: C): void
  /** The time to call wake, on the clock of `nowMs`: never later than the first event that is due, sometimes earlier. Null: nothing is due. */
  nextWake(): number | null
}

/** The runner's address of a request. Used once. */
export type RequestId = number

export interface Step<Reply, C extends Change, Task = never> {
  /** At most one per key. */
  readonly changes: readonly C[]
  readonly replies: readonly AddressedReply<Reply>[]
  /** Work for the runner; its outcome returns as a request. */
  readonly tasks: readonly Task[]
}

export interface AddressedReply<Reply> {
  readonly to: RequestId
  readonly reply: Reply
}

export interface Change {
  /** Unique in one machine; the journal's key is (group, this). */
  readonly key: string
  /** 'memory' is applied and not saved: sessions, time-outs, parked requests. */
  readonly kept: 'journal' | 'memory'
  /** Null removes the key. */
  readonly value: unknown
}

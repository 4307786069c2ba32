// The contract of a coordinator machine: requests in, changes and replies out, no side effect in between.

/**
 * One coordinator's rules over one state. A single runner takes one turn at a time: handle or wake → apply every change → save those of the journal;
 * a reply is sent when the save of its step is definite. Nothing here is asynchronous, reads a clock or draws: times and ids are handed in.
 *
 * A reload is a new machine to which every change of the journal is applied, in any order; then `nextWake()` asks for a turn at once.
 */
export interface Machine<Request, Reply, C extends Change, Task = never> {
  /** Reads the state, changes nothing. Every request is answered exactly once: in this step or in a later one. `nowMs` never goes back. */
  handle(request: Request, from: RequestId, nowMs: number): Step<Reply, C, Task>
  /** What has become due. Too early is harmless. */
  wake(nowMs: number): Step<Reply, C, Task>
  /** The only mutator, also on reload. Only the last change of a key counts. */
  apply(change: C): void
  /** When to call wake, on the clock of `nowMs`; never later than something becomes due, sometimes earlier. Null: nothing will become due by itself. */
  nextWake(): number | null
}

/** The runner's address of a request. Used once. */
export type RequestId = number

export interface Step<Reply, C extends Change, Task = never> {
  /** At most one per key. */
  readonly changes: readonly C[]
  readonly replies: readonly AddressedReply<Reply>[]
  /** Work for the shell; its outcome comes back as a request. */
  readonly tasks: readonly Task[]
}

export interface AddressedReply<Reply> {
  readonly to: RequestId
  readonly reply: Reply
}

export interface Change {
  /** Unique in one machine; the journal's key is (group, this). */
  readonly key: string
  /** 'memory' is applied and forgotten: sessions, time-outs, parked requests. */
  readonly kept: 'journal' | 'memory'
  /** Null removes the key. */
  readonly value: unknown
}

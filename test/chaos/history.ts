// The history of a run: what each client did, in the order in which its lines arrived. It is all that the checker reads.

/**
 * How clients are set. `patient`: many retries, short time-outs, and a commit after each poll. `default`: as their libraries have it, except that producers are idempotent, and that consumers
 * commit every 500 ms by themselves.
 */
export type ClientSettings = 'patient' | 'default'

/** One line of a client. The programs in clients/ print these. */
export type ClientLine =
  /** About to be sent. */
  | { readonly f: 'send'; readonly partition: number; readonly value: string }
  /** Acknowledged. Null: without an offset, as librdkafka does when a later batch of the partition was answered, and so this one is stored, too. */
  | { readonly f: 'sent'; readonly partition: number; readonly value: string; readonly offset: number | null }
  /** The send failed, and the record may be in the log or not. The client never sends it again. */
  | { readonly f: 'unknown'; readonly partition: number; readonly value: string; readonly error: string }
  /** Records that a reader received, in its order. */
  | { readonly f: 'polled'; readonly reader: string; readonly records: readonly PolledRecord[] }
  /** A commit of a group was acknowledged. */
  | { readonly f: 'committed'; readonly group: string; readonly offsets: readonly PartitionOffset[] }
  /** A member of a group has joined it, also again. */
  | { readonly f: 'joined'; readonly reader: string }
  /** An error that an application sees, other than that of a send: a stream ended, a consumer crashed, a commit was rejected. */
  | { readonly f: 'error'; readonly text: string }
  /** Every send has an outcome, and none will follow. */
  | { readonly f: 'done' }
  /** For people who look for the cause of an anomaly. */
  | { readonly f: 'note'; readonly text: string }

export type PolledRecord = readonly [partition: number, offset: number, value: string]
export type PartitionOffset = readonly [partition: number, offset: number]

/** A line of the history. `atMs`: since the beginning of the run, when the line arrived. */
export type HistoryLine = { readonly atMs: number; readonly process: string } & (ClientLine | ObserverLine)

/** Lines of the run itself. */
export type ObserverLine =
  /** The observer asks for the committed offsets of a group. */
  | { readonly f: 'fetch offsets'; readonly group: string; readonly id: number }
  /** The answer. -1: none is committed. */
  | { readonly f: 'fetched offsets'; readonly group: string; readonly id: number; readonly offsets: readonly PartitionOffset[] }
  | { readonly f: 'fault'; readonly text: string }
  /** A batch that is stored at the end. */
  | ({ readonly f: 'batch' } & StoredBatch)
  /** Slots have another owner: how many each agent has now. */
  | { readonly f: 'slots'; readonly owned: Readonly<Record<string, number>> }

/** `sequence`: of its first record. All three of its producer are -1 if that is not idempotent. */
export interface StoredBatch {
  readonly partition: number
  readonly offset: number
  readonly records: number
  readonly producerId: number
  readonly epoch: number
  readonly sequence: number
}

/** How a reader reads, and so what must hold for it. */
export interface Reader {
  /**
   * `assigned`: from offset 0, all partitions, without a group: each record once and in order. `member`: of a group, which may read again after a rebalance.
   * `scan`: like `assigned`, after the end of all sends.
   */
  readonly kind: 'assigned' | 'member' | 'scan'
  readonly name: string
  /** Of a member. */
  readonly group?: string
}

/** Each value is one of a kind: the process, its number, its partition, and padding that depends on them, so that torn and swapped bytes show. */
export function valueOf(process: string, number: number, partition: number): string {
  const head = `${process}/${number}/${partition}/`
  return head + head.repeat(number % 7)
}

// The known state of the batches of one Produce request over all attempts: acknowledged, rejected or unknown.
import type { DecodedResponseOf, Produce } from '@local-kafka-service/protocol'
import { protocolErrorsCodesById } from '@platformatic/kafka'
import type { PlacedRecord } from './record-chunk.ts'

export type PartitionAnswer = DecodedResponseOf<typeof Produce>['responses'][number]['partitionResponses'][number]

/** Why a broker rejected the batch of a partition. */
export interface BatchRejection {
  /** Kafka's name: `MESSAGE_TOO_LARGE`. */
  readonly api: string
  /** The broker's message, if it sent one. */
  readonly message: string | undefined
  /** The records that it found invalid, by their index in the batch; empty if it does not name any. */
  readonly records: readonly number[]
}

/** By partition. */
export class ProduceOutcome {
  readonly #batches: ReadonlyMap<number, readonly PlacedRecord[]>
  readonly #acknowledged = new Map<number, bigint | undefined>()
  readonly #rejected = new Map<number, BatchRejection>()
  readonly #doubtful = new Set<number>()
  readonly #givenUp = new Set<number>()
  #lastFailure: Error | undefined
  /** The producer received a new id during this request. */
  wasRenewed = false
  /** The address of a leader that never accepted a connection, if that was the reason to stop. */
  unreached: string | undefined

  constructor(batches: Iterable<readonly [partition: number, records: readonly PlacedRecord[]]>) {
    this.#batches = new Map(batches)
  }

  recordsOf(partition: number): readonly PlacedRecord[] {
    return this.#batches.get(partition) ?? []
  }

  /** The partitions to send, for the first time or again. */
  get left(): readonly number[] {
    return [...this.#batches.keys()].filter(
      (partition) => !this.#acknowledged.has(partition) && !this.#rejected.has(partition) && !this.#givenUp.has(partition),
    )
  }

  get isSettled(): boolean {
    return this.left.length === 0
  }

  /** Some of the remaining batches may have been written. */
  get hasDoubts(): boolean {
    return this.left.some((partition) => this.#doubtful.has(partition))
  }

  /** The offset of the first record of the batch, if known. */
  get acknowledged(): ReadonlyMap<number, bigint | undefined> {
    return this.#acknowledged
  }

  /** Certainly not written. */
  get rejected(): ReadonlyMap<number, BatchRejection> {
    return this.#rejected
  }

  /** Neither acknowledged nor certainly unwritten. A batch in no set has never been sent. */
  get inDoubt(): ReadonlySet<number> {
    return new Set([...this.#doubtful].filter((partition) => !this.#acknowledged.has(partition) && !this.#rejected.has(partition)))
  }

  get lastFailure(): Error | undefined {
    return this.#lastFailure
  }

  acknowledge(partition: number, offset: bigint | undefined): void {
    this.#acknowledged.set(partition, offset)
  }

  /** The batch was sent, and may have arrived. */
  doubt(partition: number): void {
    this.#doubtful.add(partition)
  }

  giveUp(partition: number): void {
    this.#givenUp.add(partition)
  }

  /** A rejection is final only if no attempt is in doubt. */
  reject(answer: PartitionAnswer): void {
    if (this.#doubtful.has(answer.index)) this.giveUp(answer.index)
    else this.#rejected.set(answer.index, rejectionOf(answer))
  }

  /** Closing the client after the time limit does not count as an attempt. */
  failed(error: Error): void {
    if (this.#lastFailure === undefined || !('closed' in error && error.closed === true)) this.#lastFailure = error
  }
}

function rejectionOf({ errorCode, errorMessage, recordErrors }: PartitionAnswer): BatchRejection {
  const names = protocolErrorsCodesById as Readonly<Record<number, string | undefined>>
  return {
    api: names[errorCode] ?? `error ${errorCode}`,
    message: recordErrors.find((record) => record.batchIndexErrorMessage !== null)?.batchIndexErrorMessage ?? errorMessage ?? undefined,
    records: recordErrors.map(({ batchIndex }) => batchIndex),
  }
}

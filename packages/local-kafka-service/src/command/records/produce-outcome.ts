// What is known of the batches of one Produce request, over all attempts: which were acknowledged, which were refused, and of which nobody knows.
import type { DecodedResponseOf, Produce } from '@local-kafka-service/protocol'
import { protocolErrorsCodesById } from '@platformatic/kafka'
import type { PlacedRecord } from './record-chunk.ts'

export type PartitionAnswer = DecodedResponseOf<typeof Produce>['responses'][number]['partitionResponses'][number]

/** Why a broker did not take the batch of a partition. */
export interface Refusal {
  /** Kafka's name: `MESSAGE_TOO_LARGE`. */
  readonly api: string
  /** The broker's words, where it had some. */
  readonly message: string | undefined
  /** The records that it found wrong, by their place in the batch; empty where it does not say. */
  readonly records: readonly number[]
}

/** By partition. */
export class ProduceOutcome {
  readonly #batches: ReadonlyMap<number, readonly PlacedRecord[]>
  readonly #acknowledged = new Map<number, bigint | undefined>()
  readonly #refused = new Map<number, Refusal>()
  readonly #doubtful = new Set<number>()
  readonly #givenUp = new Set<number>()
  #lastFailure: Error | undefined
  /** The producer got another id in the course of it. */
  wasRenewed = false
  /** The address of a leader that never took a connection, where that ended it. */
  unreached: string | undefined

  constructor(batches: Iterable<readonly [partition: number, records: readonly PlacedRecord[]]>) {
    this.#batches = new Map(batches)
  }

  recordsOf(partition: number): readonly PlacedRecord[] {
    return this.#batches.get(partition) ?? []
  }

  /** Those that are to be sent, again or for the first time. */
  get left(): readonly number[] {
    return [...this.#batches.keys()].filter(
      (partition) => !this.#acknowledged.has(partition) && !this.#refused.has(partition) && !this.#givenUp.has(partition),
    )
  }

  get isSettled(): boolean {
    return this.left.length === 0
  }

  /** Some of what is left may be written already. */
  get hasDoubts(): boolean {
    return this.left.some((partition) => this.#doubtful.has(partition))
  }

  /** The offset of the first record of the batch, where somebody said it. */
  get acknowledged(): ReadonlyMap<number, bigint | undefined> {
    return this.#acknowledged
  }

  /** Certainly not written. */
  get refused(): ReadonlyMap<number, Refusal> {
    return this.#refused
  }

  /** Neither acknowledged nor certainly not written. What is nowhere was never sent. */
  get inDoubt(): ReadonlySet<number> {
    return new Set([...this.#doubtful].filter((partition) => !this.#acknowledged.has(partition) && !this.#refused.has(partition)))
  }

  get lastFailure(): Error | undefined {
    return this.#lastFailure
  }

  acknowledge(partition: number, offset: bigint | undefined): void {
    this.#acknowledged.set(partition, offset)
  }

  /** It was sent, and whether it arrived is not known. */
  doubt(partition: number): void {
    this.#doubtful.add(partition)
  }

  giveUp(partition: number): void {
    this.#givenUp.add(partition)
  }

  /** A refusal is one only where no attempt is in doubt. */
  refuse(answer: PartitionAnswer): void {
    if (this.#doubtful.has(answer.index)) this.giveUp(answer.index)
    else this.#refused.set(answer.index, refusalOf(answer))
  }

  /** That the client was closed because it had tried for long enough is no attempt. */
  failed(error: Error): void {
    if (this.#lastFailure === undefined || !('closed' in error && error.closed === true)) this.#lastFailure = error
  }
}

function refusalOf({ errorCode, errorMessage, recordErrors }: PartitionAnswer): Refusal {
  const names = protocolErrorsCodesById as Readonly<Record<number, string | undefined>>
  return {
    api: names[errorCode] ?? `error ${errorCode}`,
    message: recordErrors.find((record) => record.batchIndexErrorMessage !== null)?.batchIndexErrorMessage ?? errorMessage ?? undefined,
    records: recordErrors.map(({ batchIndex }) => batchIndex),
  }
}

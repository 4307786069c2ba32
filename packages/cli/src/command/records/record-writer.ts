// Writes records in order, one Produce request at a time: records that arrive during a request go into the next.
import type { BatchSender } from './batch-sender.ts'
import { asError } from './innermost-message.ts'
import type { BatchRejection, ProduceOutcome } from './produce-outcome.ts'
import { type ChunkLimits, type PlacedRecord, RecordChunk } from './record-chunk.ts'
import type { RecordToWrite } from './record-json.ts'

/** Undefined for acks=0, where the broker does not report the offset. */
export type WrittenRecord = PlacedRecord & { readonly offset: bigint | undefined }

export interface WriterOptions {
  readonly sender: Pick<BatchSender, 'send' | 'close' | 'partitionCount'>
  /** The partition count of the topic, until the sender has a newer one. */
  readonly partitionCount: number
  /** The first partition for records without a key; each request uses the next one. */
  readonly firstPartition: number
  readonly limits: ChunkLimits
  /** Called with acknowledged records, in the order in which they were added. */
  readonly written: (records: readonly WrittenRecord[]) => Promise<void>
  /** Called once, even when no caller is waiting: nothing more will be written. */
  readonly failed: () => void
}

/** Some records were not written. Acknowledged records have already been passed to `written`. */
export class NotWritten extends Error {
  override readonly name = 'NotWritten'
  /** The rejected records of the failed request. */
  readonly rejected: readonly { readonly record: PlacedRecord; readonly rejection: BatchRejection }[]
  /** The number of records whose fate is unknown. */
  readonly inDoubt: number
  /** The address of a leader that never accepted a connection, if that is the reason. */
  readonly unreached: string | undefined

  constructor(cause: unknown, { rejected, inDoubt, unreached }: Pick<NotWritten, 'rejected' | 'inDoubt' | 'unreached'>) {
    super('not everything was written', { cause })
    this.rejected = rejected
    this.inDoubt = inDoubt
    this.unreached = unreached
  }
}

export class RecordWriter {
  readonly #options: WriterOptions
  #chunk: RecordChunk
  #keylessPartition: number
  #sending: Promise<void> | undefined
  #failure: Error | undefined

  constructor(options: WriterOptions) {
    this.#options = options
    this.#keylessPartition = options.firstPartition
    this.#chunk = this.#nextChunk()
  }

  /** Settles when there is room for the record. Rejects when an earlier record was not written; then no more records are accepted. */
  async add(record: RecordToWrite, line: number): Promise<void> {
    while (this.#chunk.add(record, line) === 'full') {
      // The end of a request may send the waiting chunk, so each turn checks again whether there is one to send.
      if (this.#sending === undefined) this.#send()
      else await this.#sending
      this.#throwIfFailed()
    }
  }

  /** Sends the current chunk unless a request is in progress: records do not wait for a chunk to fill. */
  kick(): void {
    if (this.#sending === undefined && !this.#chunk.isEmpty && this.#failure === undefined) this.#send()
  }

  /** Settles when all added records are acknowledged. Rejects when one is not. */
  async flush(): Promise<void> {
    for (;;) {
      this.#throwIfFailed()
      // An empty chunk alone does not mean the end: a request that ended may have sent the next one.
      if (this.#sending !== undefined) await this.#sending
      else if (this.#chunk.isEmpty) return
      else this.#send()
    }
  }

  /** Also ends a request that is in progress or being retried, which then fails. */
  async close(): Promise<void> {
    await this.#options.sender.close()
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #nextChunk(): RecordChunk {
    const { partitionCount, limits, sender } = this.#options
    const keylessPartition = this.#keylessPartition
    this.#keylessPartition += 1
    // The topic may have grown.
    return new RecordChunk({ limits, partitionCount: sender.partitionCount ?? partitionCount, keylessPartition })
  }

  #send(): void {
    const { records } = this.#chunk
    this.#chunk = this.#nextChunk()
    this.#sending = this.#sendAll(records).then(
      () => {
        this.#sending = undefined
        this.kick()
      },
      (error: unknown) => {
        this.#sending = undefined
        this.#failure = asError(error)
        this.#options.failed()
      },
    )
  }

  /** Rejects with NotWritten. A batch that is too large for the topic is split in two, as in Kafka's own producer. */
  async #sendAll(records: readonly PlacedRecord[]): Promise<void> {
    const outcome = await this.#options.sender.send(records)
    await this.#acknowledged(records, outcome.acknowledged)
    const rest = records.filter(({ partition }) => !outcome.acknowledged.has(partition))
    if (rest.length === 0) return
    if (!canBeCut(rest, outcome)) throw notWritten(rest, outcome)
    for (const batch of Map.groupBy(rest, ({ partition }) => partition).values()) {
      const half = Math.ceil(batch.length / 2)
      await this.#sendAll(batch.slice(0, half))
      await this.#sendAll(batch.slice(half))
    }
  }

  async #acknowledged(records: readonly PlacedRecord[], bases: ReadonlyMap<number, bigint | undefined>): Promise<void> {
    const next = new Map(bases)
    const written = records.flatMap((record): readonly WrittenRecord[] => {
      if (!next.has(record.partition)) return []
      const offset = next.get(record.partition)
      if (offset !== undefined) next.set(record.partition, offset + 1n)
      return [{ ...record, offset }]
    })
    if (written.length > 0) await this.#options.written(written)
  }
}

const tooLarge: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

/** True if every unwritten batch was rejected as too large and has at least two records. */
function canBeCut(rest: readonly PlacedRecord[], { rejected }: Pick<ProduceOutcome, 'rejected'>): boolean {
  const batches = Map.groupBy(rest, ({ partition }) => partition)
  return (
    batches.size > 0 && [...batches].every(([partition, batch]) => batch.length > 1 && tooLarge.has(rejected.get(partition)?.api ?? ''))
  )
}

function notWritten(rest: readonly PlacedRecord[], { rejected, inDoubt, lastFailure, unreached }: ProduceOutcome): NotWritten {
  const withRejection = rest.flatMap((record) => {
    const rejection = rejected.get(record.partition)
    return rejection === undefined ? [] : [{ record, rejection }]
  })
  const doubtfulCount = rest.filter(({ partition }) => inDoubt.has(partition)).length
  return new NotWritten(lastFailure, { rejected: withRejection, inDoubt: doubtfulCount, unreached })
}

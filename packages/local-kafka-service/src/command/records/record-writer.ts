// Writes records in their order, one Produce request at a time: what arrives while one is under way goes into the next.
import type { BatchSender } from './batch-sender.ts'
import { asError } from './innermost-message.ts'
import type { ProduceOutcome, Refusal } from './produce-outcome.ts'
import { type ChunkLimits, type PlacedRecord, RecordChunk } from './record-chunk.ts'
import type { RecordToWrite } from './record-json.ts'

/** Undefined where nobody says it (acks=0). */
export type WrittenRecord = PlacedRecord & { readonly offset: bigint | undefined }

export interface WriterOptions {
  readonly sender: Pick<BatchSender, 'send' | 'close' | 'partitionCount'>
  /** Of the topic, as long as the sender does not know better. */
  readonly partitions: number
  /** Where the records without a key begin; each request goes on with the next partition. */
  readonly firstPartition: number
  readonly limits: ChunkLimits
  /** Hears of records when they are acknowledged, in the order in which they were given. */
  readonly written: (records: readonly WrittenRecord[]) => Promise<void>
  /** Called once, also when nobody is waiting: nothing more will be written. */
  readonly failed: () => void
}

/** Not everything was written. What was acknowledged before has been told to `written`. */
export class NotWritten extends Error {
  override readonly name = 'NotWritten'
  /** Of the request that failed. */
  readonly refused: readonly { readonly record: PlacedRecord; readonly refusal: Refusal }[]
  /** Of these nobody knows. */
  readonly inDoubt: number
  /** The address of a leader that never took a connection, where that is why. */
  readonly unreached: string | undefined

  constructor(cause: unknown, { refused, inDoubt, unreached }: Pick<NotWritten, 'refused' | 'inDoubt' | 'unreached'>) {
    super('not everything was written', { cause })
    this.refused = refused
    this.inDoubt = inDoubt
    this.unreached = unreached
  }
}

export class RecordWriter {
  readonly #options: WriterOptions
  #chunk: RecordChunk
  #keyless: number
  #sending: Promise<void> | undefined
  #failure: Error | undefined

  constructor(options: WriterOptions) {
    this.#options = options
    this.#keyless = options.firstPartition
    this.#chunk = this.#nextChunk()
  }

  /** Settles when there is room for the next one. Rejects when an earlier record was not written; then nothing more is taken. */
  async add(record: RecordToWrite, line: number): Promise<void> {
    while (this.#chunk.add(record, line) === 'full') {
      // The end of one sends the chunk that waited for it, so whether there is one to send is asked again each time.
      if (this.#sending === undefined) this.#send()
      else await this.#sending
      this.#throwIfFailed()
    }
  }

  /** What is there may go, if nothing else is under way: nobody waits for a chunk to fill. */
  kick(): void {
    if (this.#sending === undefined && !this.#chunk.isEmpty && this.#failure === undefined) this.#send()
  }

  /** Settles when everything that was added is acknowledged. Rejects when it was not. */
  async flush(): Promise<void> {
    for (;;) {
      this.#throwIfFailed()
      // An empty chunk alone says nothing: the end of one request may just have sent the next.
      if (this.#sending !== undefined) await this.#sending
      else if (this.#chunk.isEmpty) return
      else this.#send()
    }
  }

  /** Also while a request is under way or tried again: that one then fails. */
  async close(): Promise<void> {
    await this.#options.sender.close()
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #nextChunk(): RecordChunk {
    const { partitions, limits, sender } = this.#options
    const keyless = this.#keyless
    this.#keyless += 1
    // A topic may have grown meanwhile.
    return new RecordChunk({ limits, partitions: sender.partitionCount ?? partitions, keyless })
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

  /** Rejects with NotWritten. A batch that is too large for the topic is cut in two, as Kafka's own producer does. */
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

/** Everything that was not written is known not to be, was too large, and has two records at least in each batch. */
function canBeCut(rest: readonly PlacedRecord[], { refused }: Pick<ProduceOutcome, 'refused'>): boolean {
  const batches = Map.groupBy(rest, ({ partition }) => partition)
  return batches.size > 0 && [...batches].every(([partition, batch]) => batch.length > 1 && tooLarge.has(refused.get(partition)?.api ?? ''))
}

function notWritten(rest: readonly PlacedRecord[], { refused, inDoubt, lastFailure, unreached }: ProduceOutcome): NotWritten {
  const withRefusal = rest.flatMap((record) => {
    const refusal = refused.get(record.partition)
    return refusal === undefined ? [] : [{ record, refusal }]
  })
  const doubtfulCount = rest.filter(({ partition }) => inDoubt.has(partition)).length
  return new NotWritten(lastFailure, { refused: withRefusal, inDoubt: doubtfulCount, unreached })
}

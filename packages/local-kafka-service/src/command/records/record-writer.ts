// Writes records in their order, one Produce request at a time: what arrives while one is under way goes into the next.
import { type CompressionAlgorithmValue, ProduceAcks, type Producer } from '@platformatic/kafka'
import { asError } from './innermost-message.ts'
import type { RecordHeader } from './kafka-record.ts'
import { type Outcome, outcomeOf, type Refusal } from './produce-outcome.ts'
import { type ChunkLimits, type PlacedRecord, RecordChunk } from './record-chunk.ts'
import type { RecordToWrite } from './record-json.ts'

/** Undefined where nobody acknowledges (acks=0). */
export type WrittenRecord = PlacedRecord & { readonly offset: bigint | undefined }

export interface WriterOptions {
  readonly topic: string
  /** Opens a producer; idempotent with `acks: 'all'`. */
  readonly open: () => Producer
  readonly acks: 'all' | '1' | '0'
  readonly compression: CompressionAlgorithmValue
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

  constructor(
    cause: unknown,
    {
      refused,
      inDoubt,
    }: { readonly refused: readonly { readonly record: PlacedRecord; readonly refusal: Refusal }[]; readonly inDoubt: number },
  ) {
    super('not everything was written', { cause })
    this.refused = refused
    this.inDoubt = inDoubt
  }
}

type Answer =
  | { readonly kind: 'written'; readonly acknowledged: ReadonlyMap<number, bigint> }
  | ({ readonly kind: 'failed'; readonly error: unknown } & Outcome)

export class RecordWriter {
  readonly #options: WriterOptions
  #producer: Producer
  #sentByProducer = 0
  #chunk: RecordChunk
  #keyless: number
  #sending: Promise<void> | undefined
  #failure: Error | undefined

  constructor(options: WriterOptions) {
    this.#options = options
    this.#producer = options.open()
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
    await this.#producer.close(true)
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #nextChunk(): RecordChunk {
    const { topic, partitions, limits } = this.#options
    const keyless = this.#keyless
    this.#keyless += 1
    // A topic may have grown meanwhile.
    const current = this.#producer.currentMetadata?.topics.get(topic)?.partitionsCount ?? partitions
    return new RecordChunk({ limits, partitions: current, keyless })
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
    const answer = await this.#produce(records)
    await this.#acknowledged(records, answer.acknowledged)
    if (answer.kind === 'written') return
    const rest = records.filter(({ partition }) => !answer.acknowledged.has(partition))
    if (!canBeCut(rest, answer)) throw notWritten(answer.last ?? answer.error, rest, answer)
    for (const batch of Map.groupBy(rest, ({ partition }) => partition).values()) {
      const half = Math.ceil(batch.length / 2)
      await this.#sendAll(batch.slice(0, half))
      await this.#sendAll(batch.slice(half))
    }
  }

  async #produce(records: readonly PlacedRecord[]): Promise<Answer> {
    try {
      await this.#renew(records.length)
      return { kind: 'written', acknowledged: await this.#produceOnce(records) }
    } catch (error) {
      return { kind: 'failed', error, ...outcomeOf(error) }
    }
  }

  async #produceOnce(records: readonly PlacedRecord[]): Promise<ReadonlyMap<number, bigint>> {
    const { topic, acks, compression } = this.#options
    const { offsets } = await this.#producer.send({
      acks: acksOf[acks],
      compression,
      messages: records.map(({ partition, timestamp, key, value, headers }) => ({
        topic,
        partition,
        ...(timestamp !== undefined && { timestamp }),
        // The casts: the library writes null as Kafka's null, which its types do not say.
        key: key as Buffer,
        value: value as Buffer,
        headers: headersOf(headers),
      })),
    })
    return new Map((offsets ?? []).map(({ partition, offset }) => [partition, offset]))
  }

  async #acknowledged(records: readonly PlacedRecord[], bases: ReadonlyMap<number, bigint>): Promise<void> {
    const next = new Map(bases)
    const isSilent = this.#options.acks === '0'
    const written = records.flatMap((record): readonly WrittenRecord[] => {
      const offset = next.get(record.partition)
      if (offset === undefined) return isSilent ? [{ ...record, offset }] : []
      next.set(record.partition, offset + 1n)
      return [{ ...record, offset }]
    })
    if (written.length > 0) await this.#options.written(written)
  }

  /** An idempotent producer numbers the records of a partition in 31 bits, and the library does not begin again. */
  async #renew(records: number): Promise<void> {
    this.#sentByProducer += records
    if (this.#sentByProducer <= mostRecordsOfProducer) return
    this.#sentByProducer = records
    const before = this.#producer
    this.#producer = this.#options.open()
    await before.close()
  }
}

const mostRecordsOfProducer = 2 ** 30
const acksOf = { all: ProduceAcks.ALL, '1': ProduceAcks.LEADER, '0': ProduceAcks.NO_RESPONSE } as const
const tooLarge: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

/** By the bytes of their keys, so that two of one name stay two. */
function headersOf(headers: readonly RecordHeader[]): Map<Buffer, Buffer> {
  // The cast: as above, null is Kafka's null. A key that comes twice must be two objects.
  return new Map(headers.map(({ key, value }) => [Buffer.from(key), value as Buffer]))
}

/** Everything that was not written is known not to be, was too large, and has two records at least in each batch. */
function canBeCut(rest: readonly PlacedRecord[], { refused }: Outcome): boolean {
  const batches = Map.groupBy(rest, ({ partition }) => partition)
  return batches.size > 0 && [...batches].every(([partition, batch]) => batch.length > 1 && tooLarge.has(refused.get(partition)?.api ?? ''))
}

function notWritten(cause: unknown, rest: readonly PlacedRecord[], { refused, neverSent }: Outcome): NotWritten {
  const withRefusal = rest.flatMap((record) => {
    const refusal = refused.get(record.partition)
    return refusal === undefined ? [] : [{ record, refusal }]
  })
  return new NotWritten(cause, { refused: withRefusal, inDoubt: neverSent ? 0 : rest.length - withRefusal.length })
}

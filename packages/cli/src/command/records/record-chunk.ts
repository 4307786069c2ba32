// The records of one Produce request: gathered until the batch of one partition, or the whole request, is full.
import { partitionOfKey } from '@local-kafka-service/protocol'
import type { RecordToWrite } from './record-json.ts'

/** A record with its partition, and the line that it came from. */
export interface PlacedRecord extends RecordToWrite {
  readonly partition: number
  /** The record's own timestamp, or the time when it was read. */
  readonly timestampMs: number
  readonly line: number
}

export interface ChunkLimits {
  /** The limit of one partition's batch; a larger record goes alone. */
  readonly batchBytes: number
  /** The limit of all batches together. */
  readonly chunkBytes: number
  readonly recordCount: number
}

export class RecordChunk {
  readonly records: PlacedRecord[] = []
  readonly #limits: ChunkLimits
  readonly #partitionCount: number
  /** The partition of records without a key and a partition: they share one batch, as in Kafka's own producer. */
  readonly #keylessPartition: number
  readonly #batchBytes = new Map<number, number>()
  #bytes = 0

  constructor({
    limits,
    partitionCount,
    keylessPartition,
  }: { readonly limits: ChunkLimits; readonly partitionCount: number; readonly keylessPartition: number }) {
    this.#limits = limits
    this.#partitionCount = partitionCount
    this.#keylessPartition = keylessPartition % partitionCount
  }

  /** Takes the record, or says that it belongs to the next chunk. An empty chunk takes any record. */
  add(record: RecordToWrite, line: number): 'taken' | 'full' {
    const partition = record.partition ?? (record.key === null ? this.#keylessPartition : partitionOfKey(record.key, this.#partitionCount))
    const bytes = sizeOf(record)
    const batchBytes = (this.#batchBytes.get(partition) ?? 0) + bytes
    const { recordCount, chunkBytes, batchBytes: most } = this.#limits
    const isOver = this.records.length >= recordCount || this.#bytes + bytes > chunkBytes || batchBytes > most
    if (isOver && this.records.length > 0) return 'full'
    const timestampMs = record.timestamp === undefined ? Date.now() : Number(record.timestamp)
    this.records.push({ ...record, partition, timestampMs, line })
    this.#batchBytes.set(partition, batchBytes)
    this.#bytes += bytes
    return 'taken'
  }

  get isEmpty(): boolean {
    return this.records.length === 0
  }
}

/** An upper bound for the bytes around key, value and headers in a batch. */
const recordOverhead = 32
const headerOverhead = 10

function sizeOf({ key, value, headers }: RecordToWrite): number {
  const ofHeaders = headers.reduce((sum, header) => sum + header.key.length + (header.value?.length ?? 0) + headerOverhead, 0)
  return (key?.length ?? 0) + (value?.length ?? 0) + ofHeaders + recordOverhead
}

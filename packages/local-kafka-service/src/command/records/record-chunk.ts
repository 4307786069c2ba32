// The records of one Produce request: gathered until one partition's batch, or all of them, are full.
import { partitionOfKey } from '@local-kafka-service/protocol'
import type { RecordToWrite } from './record-json.ts'

/** A record with the partition it goes to, and the line it came from. */
export interface PlacedRecord extends RecordToWrite {
  readonly partition: number
  /** Its own, or when it was taken. */
  readonly timestampMs: number
  readonly line: number
}

export interface ChunkLimits {
  /** Of one partition's batch; a larger record goes alone. */
  readonly batchBytes: number
  /** Of all of them. */
  readonly chunkBytes: number
  readonly records: number
}

export class RecordChunk {
  readonly records: PlacedRecord[] = []
  readonly #limits: ChunkLimits
  readonly #partitions: number
  /** Where records without a key and a partition go: all to one, so that they share a batch, as Kafka's own producer does. */
  readonly #keyless: number
  readonly #batchBytes = new Map<number, number>()
  #bytes = 0

  constructor({ limits, partitions, keyless }: { readonly limits: ChunkLimits; readonly partitions: number; readonly keyless: number }) {
    this.#limits = limits
    this.#partitions = partitions
    this.#keyless = keyless % partitions
  }

  /** Takes the record, or says that it belongs into the next chunk. An empty chunk takes any record. */
  add(record: RecordToWrite, line: number): 'taken' | 'full' {
    const partition = record.partition ?? (record.key === null ? this.#keyless : partitionOfKey(record.key, this.#partitions))
    const bytes = sizeOf(record)
    const batchBytes = (this.#batchBytes.get(partition) ?? 0) + bytes
    const { records, chunkBytes, batchBytes: most } = this.#limits
    const isOver = this.records.length >= records || this.#bytes + bytes > chunkBytes || batchBytes > most
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

/** What stands around key, value and headers in a batch is smaller. */
const recordOverhead = 32
const headerOverhead = 10

function sizeOf({ key, value, headers }: RecordToWrite): number {
  const ofHeaders = headers.reduce((sum, header) => sum + header.key.length + (header.value?.length ?? 0) + headerOverhead, 0)
  return (key?.length ?? 0) + (value?.length ?? 0) + ofHeaders + recordOverhead
}

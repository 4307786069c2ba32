// The records of one batch as columns: where each key is, and where each record begins and ends. The memory is used again for the next batch.
import { ProtocolError } from '../wire/protocol-error.ts'
import { RecordWalk } from './record-walk.ts'

/** Keys among other bytes. A view of each key would cost more than what is done with it. */
export interface KeyColumns {
  /** How many there are. The columns may be longer. */
  readonly count: number
  readonly bytes: Uint8Array
  readonly keyStart: Int32Array
  /** Before the start: the record has no key. */
  readonly keyEnd: Int32Array
}

/** Whether the record has a key. */
export function hasKeyAt({ keyStart, keyEnd }: KeyColumns, index: number): boolean {
  // Both columns have every record.
  return (keyEnd[index] ?? 0) >= (keyStart[index] ?? 0)
}

/** Where a record is in the unpacked bytes: its length, its attributes, its timestamp delta, and the rest. */
export interface RecordPlace {
  readonly start: number
  readonly timestampAt: number
  readonly timestampDelta: number
  readonly restAt: number
  readonly end: number
}

/** One for each pass over many batches. */
export class RecordTable implements KeyColumns {
  count = 0
  /** What the batch unpacks to. */
  bytes: Uint8Array = new Uint8Array(0)
  offsetDelta: Int32Array = new Int32Array(0)
  keyStart: Int32Array = new Int32Array(0)
  keyEnd: Int32Array = new Int32Array(0)
  /** 0: the record is the tombstone of its key. */
  hasValue: Uint8Array = new Uint8Array(0)
  #start = new Int32Array(0)
  #timestampAt = new Int32Array(0)
  #timestampDelta = new Float64Array(0)
  #restAt = new Int32Array(0)
  #end = new Int32Array(0)

  /** The records that fill `bytes`. Throws a ProtocolError for malformed ones, and then the table is empty. */
  read(bytes: Uint8Array, recordCount: number): void {
    this.count = 0
    if (recordCount * leastRecordBytes > bytes.length)
      throw new ProtocolError(`${bytes.length} bytes are too few for ${recordCount} records`)
    if (recordCount > this.keyStart.length) this.#grow(recordCount)
    const walk = new RecordWalk(bytes, 0)
    for (let index = 0; index < recordCount; index++) this.#readOne(walk, bytes, index)
    if (walk.at !== bytes.length) throw new ProtocolError(`${bytes.length - walk.at} bytes are left over after the last record`)
    this.bytes = bytes
    this.count = recordCount
  }

  hasKey(index: number): boolean {
    return hasKeyAt(this, index)
  }

  /** Where the marked records are. */
  places(marked: Uint8Array): readonly RecordPlace[] {
    const places: RecordPlace[] = []
    for (let index = 0; index < this.count; index++) if (marked[index] !== 0) places.push(this.#place(index))
    return places
  }

  #readOne(walk: RecordWalk, bytes: Uint8Array, index: number): void {
    const start = walk.at
    const length = walk.varint()
    const end = walk.at + length
    walk.at += 1 // attributes: Kafka defines none
    this.#start[index] = start
    this.#timestampAt[index] = walk.at
    this.#timestampDelta[index] = walk.varlong()
    this.#restAt[index] = walk.at
    this.offsetDelta[index] = walk.varint()
    const keyLength = walk.lengthOfField()
    this.keyEnd[index] = keyLength < 0 ? -1 : walk.at
    this.keyStart[index] = walk.at - Math.max(0, keyLength)
    this.hasValue[index] = walk.lengthOfField() < 0 ? 0 : 1
    this.#end[index] = end
    if (walk.broken || length < 0 || walk.at > end || end > bytes.length)
      throw new ProtocolError(`the record at byte ${start} is malformed`)
    walk.at = end
  }

  #place(index: number): RecordPlace {
    // Every record of the table is in each column.
    return {
      start: this.#start[index] ?? 0,
      timestampAt: this.#timestampAt[index] ?? 0,
      timestampDelta: this.#timestampDelta[index] ?? 0,
      restAt: this.#restAt[index] ?? 0,
      end: this.#end[index] ?? 0,
    }
  }

  #grow(recordCount: number): void {
    const length = Math.max(recordCount, 2 * this.keyStart.length)
    this.offsetDelta = new Int32Array(length)
    this.keyStart = new Int32Array(length)
    this.keyEnd = new Int32Array(length)
    this.hasValue = new Uint8Array(length)
    this.#start = new Int32Array(length)
    this.#timestampAt = new Int32Array(length)
    this.#timestampDelta = new Float64Array(length)
    this.#restAt = new Int32Array(length)
    this.#end = new Int32Array(length)
  }
}

/** The length, the attributes, two deltas, two lengths of fields and the number of headers, a byte each. */
const leastRecordBytes = 7

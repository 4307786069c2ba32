// Walks the records of a batch without an allocation: checks that each is whole and numbered from 0 on, and finds their timestamps.

/** `malformed`: the bytes are not valid records, or do not match the batch's header. `timestamp`: a record has a timestamp beyond 2^53. */
export type WalkedRecords =
  /** Milliseconds since the epoch; -1, Kafka's NO_TIMESTAMP, if no record has a timestamp. `latest` is never below -1, like the maximum that Kafka writes into a batch. */
  | { readonly kind: 'ok'; readonly earliest: number; readonly latest: number; readonly recordsWithoutKey: number }
  | { readonly kind: 'error'; readonly problem: 'malformed' | 'timestamp'; readonly message: string }

/**
 * Walks uncompressed records from `from` to the end of `bytes`. The rules are those of Kafka's broker: exactly `recordCount` records with correct lengths and
 * nothing after them; header names are not null; a negative length of a key or a value is a null. One rule is stricter: offset deltas are 0, 1, 2 ….
 */
export function walkRecords(bytes: Uint8Array, from: number, header: WalkedHeader): WalkedRecords {
  const walked = new BatchWalk(bytes, from, header).step(Number.POSITIVE_INFINITY)
  if (walked === undefined) throw new RangeError('a walk without a limit ends at the last record')
  return walked
}

/** The fields of a batch's header that its records must match. */
export interface WalkedHeader {
  readonly recordCount: number
  readonly baseTimestamp: number
}

/** `walkRecords` in steps, because a batch may have millions of records. */
export class BatchWalk {
  readonly #walk: RecordWalk
  readonly #sizeBytes: number
  readonly #header: WalkedHeader
  #index = 0
  #earliest = Number.POSITIVE_INFINITY
  #latest = noTimestamp
  #recordsWithoutKey = 0

  constructor(bytes: Uint8Array, from: number, header: WalkedHeader) {
    this.#walk = new RecordWalk(bytes, from)
    this.#sizeBytes = bytes.length
    this.#header = header
  }

  /** Walks at most `count` further records. Undefined: there are more. */
  step(count: number): WalkedRecords | undefined {
    const walk = this.#walk
    const sizeBytes = this.#sizeBytes
    const { recordCount, baseTimestamp } = this.#header
    let earliest = this.#earliest
    let latest = this.#latest
    let recordsWithoutKey = this.#recordsWithoutKey
    const end = Math.min(this.#index + count, recordCount)
    for (let index = this.#index; index < end; index++) {
      const length = walk.varint()
      const recordEnd = walk.at + length
      if (walk.broken || length < 0 || recordEnd > sizeBytes) return malformed(`Record ${index} of the batch claims ${length} bytes.`)
      walk.at += 1 // attributes: Kafka defines none
      const timestamp = baseTimestamp + walk.varlong()
      const offsetDelta = walk.varint()
      if (walk.lengthOfField() < 0) recordsWithoutKey += 1
      walk.skipField()
      let headerCount = walk.varint()
      if (headerCount < 0) return malformed(`Record ${index} of the batch claims ${headerCount} headers.`)
      for (; headerCount > 0 && !walk.broken; headerCount--) {
        walk.skipName()
        walk.skipField()
      }
      if (walk.broken || walk.at !== recordEnd) return malformed(`Record ${index} of the batch does not have the length that it claims.`)
      if (offsetDelta !== index) return malformed(`Record ${index} of the batch has the offset delta ${offsetDelta}, not ${index}.`)
      if (!(Math.abs(timestamp) < Number.MAX_SAFE_INTEGER) || Math.abs(baseTimestamp) >= Number.MAX_SAFE_INTEGER)
        return { kind: 'error', problem: 'timestamp', message: `Record ${index} of the batch has a timestamp beyond 2^53.` }
      if (timestamp > latest) latest = timestamp
      if (timestamp < earliest && timestamp !== noTimestamp) earliest = timestamp
    }
    if (end < recordCount) {
      this.#index = end
      this.#earliest = earliest
      this.#latest = latest
      this.#recordsWithoutKey = recordsWithoutKey
      return undefined
    }
    if (walk.at !== sizeBytes) return malformed(`${sizeBytes - walk.at} bytes are left over after the last record of the batch.`)
    return { kind: 'ok', earliest: earliest === Number.POSITIVE_INFINITY ? noTimestamp : earliest, latest, recordsWithoutKey }
  }
}

const noTimestamp = -1

/** A cursor over the bytes. A varint that is too long or truncated breaks it; the values that it returns afterwards have no meaning. */
export class RecordWalk {
  readonly #bytes: Uint8Array
  at: number
  broken = false

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  /** Zigzag, 32 bits: at most five bytes. */
  varint(): number {
    const bytes = this.#bytes
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[this.at++]
      if (byte === undefined) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    this.broken = true
    return 0
  }

  /** Zigzag, 64 bits: at most ten bytes. The value is not exact beyond 2^53. */
  varlong(): number {
    const bytes = this.#bytes
    let value = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      const byte = bytes[this.at++]
      if (byte === undefined) break
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      scale *= 0x80
    }
    this.broken = true
    return 0
  }

  /** Reads a length, skips as many bytes, and returns the length; negative: a null. */
  lengthOfField(): number {
    const length = this.varint()
    if (length > 0) this.#skip(length)
    return length
  }

  /** Skips a length and as many bytes; a negative length is a null. */
  skipField(): void {
    this.lengthOfField()
  }

  skipName(): void {
    const length = this.varint()
    if (length < 0) this.broken = true
    else this.#skip(length)
  }

  #skip(length: number): void {
    this.at += length
    if (this.at > this.#bytes.length) this.broken = true
  }
}

function malformed(message: string): WalkedRecords {
  return { kind: 'error', problem: 'malformed', message }
}

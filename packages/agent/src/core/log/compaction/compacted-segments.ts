// Lays out what log compaction leaves of some segments: new segments that cover the same offsets, with a filler in the place of removed batches.
import { must } from '../../assert.ts'
import type { Checksum } from '../../checksum.ts'
import { emptyBatch, offsetsPerBatch } from '../empty-batch.ts'

/** A new segment. `byteStart` counts from the first byte of all of them. */
export interface NewSegment {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly byteStart: number
  readonly sizeBytes: number
  /** The largest timestamp of its records, -1 if it has none. */
  readonly maxTimestamp: number
}

export interface LaidOutSegments {
  readonly segments: readonly NewSegment[]
  readonly batchCount: number
}

export interface CompactedRun extends LaidOutSegments {
  /** All of them, one after another, in memory of their own: each piece but the last has `pieceBytes`. */
  readonly pieces: readonly Uint8Array<ArrayBuffer>[]
  /** The offsets of the markers that are gone, and aborted something. */
  readonly removedAborts: readonly number[]
}

/** A batch that stays, and is copied: as it is or with fewer records. */
export interface KeptBatch {
  readonly bytes: Uint8Array
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
}

/** What is left is copied into pieces of this size: one piece of memory for all of it would be copied while it grows, and take three times as much. */
export const pieceBytes = 512 * 1024

/**
 * Add the batches in the order of their offsets. Readers find the offset of a batch by adding up the lengths of those before it, so removed offsets are filled:
 * with one empty batch between two others, which has a checksum and is not sent to clients.
 */
export class CompactedSegments {
  readonly #crc32c: Checksum
  readonly #segmentBytes: number
  /** All but the last are full. */
  readonly #pieces: Uint8Array<ArrayBuffer>[] = []
  /** How much of the last one is in use. */
  #lastBytes = pieceBytes
  readonly #segments: NewSegment[] = []
  readonly #removedAborts: number[] = []
  #batchCount = 0
  #sizeBytes = 0
  /** The next offset that neither a batch nor a filler covers. */
  #nextOffset: number

  /** `segmentBytes`: a segment of several batches is at most so large. */
  constructor({
    baseOffset,
    segmentBytes,
    crc32c,
  }: { readonly baseOffset: number; readonly segmentBytes: number; readonly crc32c: Checksum }) {
    this.#nextOffset = baseOffset
    this.#segmentBytes = segmentBytes
    this.#crc32c = crc32c
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get removedAbortCount(): number {
    return this.#removedAborts.length
  }

  keep(batch: KeptBatch): void {
    this.#fill(batch.baseOffset)
    this.#add(batch)
  }

  removeAbort(markerOffset: number): void {
    this.#removedAborts.push(markerOffset)
  }

  /** `nextOffset`: the offset after the last one to cover. */
  finish(nextOffset: number): CompactedRun {
    this.#fill(nextOffset)
    const last = this.#pieces.pop()
    if (last !== undefined) this.#pieces.push(new Uint8Array(last.buffer.transfer(this.#lastBytes)))
    return { segments: this.#segments, pieces: this.#pieces, batchCount: this.#batchCount, removedAborts: this.#removedAborts }
  }

  #fill(until: number): void {
    while (this.#nextOffset < until) {
      const offset = this.#nextOffset
      const lastOffset = Math.min(until, offset + offsetsPerBatch) - 1
      // Stored batches begin at offset 0, like those of producers.
      const bytes = emptyBatch({ offset: 0, lastOffset: lastOffset - offset }, this.#crc32c)
      this.#add({ bytes, baseOffset: offset, lastOffset, maxTimestamp: -1 })
    }
  }

  #add({ bytes, baseOffset, lastOffset, maxTimestamp }: KeptBatch): void {
    const last = this.#segments.at(-1)
    const joins = last !== undefined && last.sizeBytes + bytes.length <= this.#segmentBytes
    if (joins) this.#segments.pop()
    this.#segments.push({
      baseOffset: joins ? last.baseOffset : baseOffset,
      lastOffset,
      byteStart: joins ? last.byteStart : this.#sizeBytes,
      sizeBytes: (joins ? last.sizeBytes : 0) + bytes.length,
      maxTimestamp: joins ? Math.max(last.maxTimestamp, maxTimestamp) : maxTimestamp,
    })
    this.#copy(bytes)
    this.#batchCount += 1
    this.#sizeBytes += bytes.length
    this.#nextOffset = lastOffset + 1
  }

  #copy(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#lastBytes === pieceBytes) {
        this.#pieces.push(new Uint8Array(pieceBytes))
        this.#lastBytes = 0
      }
      const piece = must(this.#pieces.at(-1), 'the last piece')
      const part = bytes.subarray(at, at + pieceBytes - this.#lastBytes)
      piece.set(part, this.#lastBytes)
      this.#lastBytes += part.length
      at += part.length
    }
  }
}

// Reads ahead of consumers that read on where they ended: the bytes of their next answers are already in the cache when they ask, however slow the store is.
import { fixedLimits } from '../limits.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import { Slots } from '../time/slots.ts'
import type { SegmentReader } from './segment-reader.ts'
import { type TouchingSegments, touchingSegments } from './touching-segments.ts'

/** Where a consumer of a partition ended, and how much is read ahead of it. */
interface ReadPosition {
  nextOffset: number
  windowBytes: number
}

export class ReadAhead {
  readonly #segments: Pick<SegmentReader, 'isComing' | 'readAhead' | 'aheadBytes'>
  readonly #positions = new Map<string, ReadPosition[]>()
  readonly #slots = new Slots(fixedLimits.readsAheadOfConsumers)
  readonly #pending = new Set<string>()
  readonly #never = new AbortController().signal
  #planned: Segment[] = []
  #pendingBytes = 0

  constructor(segments: Pick<SegmentReader, 'isComing' | 'readAhead' | 'aheadBytes'>) {
    this.#segments = segments
  }

  /** How many bytes after its answer a fetch from this offset should find in memory. 0: no consumer has ended there. */
  windowAt(partition: string, offset: number): number {
    const position = this.#positions.get(partition)?.find(({ nextOffset }) => nextOffset === offset)
    return position === undefined ? 0 : position.windowBytes
  }

  /** A fetch from `offset` was answered with the records before `nextOffset`. */
  answered(partition: string, offset: number, nextOffset: number): void {
    const positions = this.#positions.get(partition) ?? []
    const known = positions.find((position) => position.nextOffset === offset)
    if (known === undefined) {
      // A fetch that waits for more looks several times.
      if (positions.some((position) => position.nextOffset === nextOffset)) return
      positions.push({ nextOffset, windowBytes: 0 })
      if (positions.length > fixedLimits.readPositionsPerPartition) positions.shift()
    } else {
      known.nextOffset = nextOffset
      known.windowBytes = Math.min(Math.max(2 * known.windowBytes, fixedLimits.readAheadFirstBytes), fixedLimits.readAheadMaxBytes)
    }
    this.#positions.delete(partition)
    this.#positions.set(partition, positions)
    if (this.#positions.size <= fixedLimits.readPositionPartitions) return
    for (const oldest of this.#positions.keys()) {
      this.#positions.delete(oldest)
      return
    }
  }

  /** Plans the segments that follow an answer of `answerBytes`, as far as the window reaches. */
  plan(found: readonly Segment[], answerBytes: number, windowBytes: number): void {
    if (windowBytes === 0) return
    let start = 0
    for (const segment of found) {
      if (start >= answerBytes + windowBytes) return
      if (segment.sizeBytes > 0 && start + segment.sizeBytes > answerBytes && !this.#isComing(segment)) this.#planned.push(segment)
      start += segment.sizeBytes
    }
  }

  /** Begins to read what was planned, as far as there is memory. A failure is left to the fetch that needs the bytes. */
  begin(): void {
    const planned = this.#planned
    if (planned.length === 0) return
    this.#planned = []
    for (const touching of touchingSegments(planned)) {
      if (this.#pendingBytes + touching.length > this.#segments.aheadBytes) return
      this.#begin(touching)
    }
  }

  #isComing(segment: Segment): boolean {
    return this.#pending.has(placeOf(segment)) || this.#segments.isComing(segment)
  }

  #begin(touching: TouchingSegments): void {
    const { segments, length } = touching
    for (const segment of segments) this.#pending.add(placeOf(segment))
    this.#pendingBytes += length
    void this.#slots
      .run(() => this.#segments.readAhead(touching), this.#never)
      .then(() => {
        for (const segment of segments) this.#pending.delete(placeOf(segment))
        this.#pendingBytes -= length
      })
  }
}

function placeOf({ objectKey, byteStart }: Segment): string {
  return `${objectKey}:${byteStart}`
}

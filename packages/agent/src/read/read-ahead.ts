// Reads ahead of consumers that read on where they ended: the bytes of their next answers are already in the cache when they ask, however slow the store is.
import { fixedLimits } from '../limits.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import { Slots } from '../time/slots.ts'
import type { SegmentReader } from './segment-reader.ts'

/** Where a consumer of a partition ended, and how much is read ahead of it. */
interface ReadPosition {
  nextOffset: number
  windowBytes: number
}

export class ReadAhead {
  readonly #segments: Pick<SegmentReader, 'isComing' | 'fetch'>
  readonly #positions = new Map<string, ReadPosition[]>()
  readonly #slots = new Slots(fixedLimits.readsAheadOfConsumers)
  readonly #pending = new Set<string>()
  readonly #never = new AbortController().signal
  #pendingBytes = 0

  constructor(segments: Pick<SegmentReader, 'isComing' | 'fetch'>) {
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

  /** Begins to read the segments that follow an answer of `answerBytes`, as far as the window reaches. A failure is left to the fetch that needs the bytes. */
  begin(found: readonly Segment[], answerBytes: number, windowBytes: number): void {
    if (windowBytes === 0) return
    let start = 0
    for (const segment of found) {
      if (start >= answerBytes + windowBytes) return
      if (segment.sizeBytes > 0 && start + segment.sizeBytes > answerBytes) this.#begin(segment)
      start += segment.sizeBytes
    }
  }

  #begin(segment: Segment): void {
    const { objectKey, byteStart, sizeBytes } = segment
    const place = `${objectKey}:${byteStart}`
    if (this.#pending.has(place) || this.#pendingBytes + sizeBytes > fixedLimits.readAheadPendingBytes || this.#segments.isComing(segment))
      return
    this.#pending.add(place)
    this.#pendingBytes += sizeBytes
    const settled = (): void => {
      this.#pending.delete(place)
      this.#pendingBytes -= sizeBytes
    }
    const read = this.#slots.run(() => this.#segments.fetch(segment, this.#never), this.#never)
    read.then((stored) => {
      // The cache keeps it.
      stored.release()
      settled()
    }, settled)
  }
}

// The reads of one fetch, side by side: what the answer will need is requested from the store at once, so that it waits for one read and not for all in turn.
import { fixedLimits } from '../limits.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import { abortedError } from '../objects/object-store.ts'
import type { StoredRange } from '../objects/stored-range.ts'
import { onAbort } from '../time/abort.ts'
import { Slots } from '../time/slots.ts'
import type { SegmentReader } from './segment-reader.ts'

export interface PlannedReadsParts {
  readonly segments: Pick<SegmentReader, 'isInMemory' | 'fetch'>
  /** The slots of all fetches of the agent. */
  readonly slots: Slots
}

export class PlannedReads {
  readonly #parts: PlannedReadsParts
  readonly #signal: AbortSignal
  readonly #reads = new Map<string, Promise<StoredRange>>()
  /** Made for the first read: most fetches find everything in memory. */
  #begun: { readonly slots: Slots; readonly abort: AbortController; readonly release: () => void } | undefined
  #leftBytes: number

  /** `maxBytes` is the most that the answer may hold. */
  constructor(parts: PlannedReadsParts, { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal }) {
    this.#parts = parts
    this.#signal = signal
    this.#leftBytes = Math.min(maxBytes, fixedLimits.plannedReadBytes)
  }

  /** Whether nothing more is read ahead. */
  get isFull(): boolean {
    return this.#leftBytes <= 0
  }

  /** Begins to read what a partition gets: its next segments, up to `maxBytes`. Segments in memory count, but are not read. */
  plan(found: readonly Segment[], maxBytes: number): void {
    let bytes = Math.min(maxBytes, this.#leftBytes)
    for (const segment of found) {
      if (bytes <= 0) return
      bytes -= segment.sizeBytes
      this.#leftBytes -= segment.sizeBytes
      if (segment.sizeBytes > 0 && !this.#parts.segments.isInMemory(segment)) this.#begin(segment)
    }
  }

  /** The bytes of the segment, if they were planned. The caller releases them; a second call returns nothing. */
  take(segment: Segment): Promise<StoredRange> | undefined {
    const place = placeOf(segment)
    const read = this.#reads.get(place)
    this.#reads.delete(place)
    return read
  }

  /** Gives up the reads that the answer did not need. */
  end(): void {
    this.#begun?.release()
    this.#begun?.abort.abort()
    for (const read of this.#reads.values())
      read.then(
        (unused) => unused.release(),
        () => {},
      )
    this.#reads.clear()
  }

  #begin(segment: Segment): void {
    const place = placeOf(segment)
    if (this.#reads.has(place)) return
    this.#begun ??= this.#first()
    const { slots, abort } = this.#begun
    const read = this.#read(segment, slots, abort.signal)
    // The answer reports the failure when it comes to this segment, if it does.
    read.catch(() => {})
    this.#reads.set(place, read)
  }

  async #read(segment: Segment, mine: Slots, signal: AbortSignal): Promise<StoredRange> {
    const { segments, slots } = this.#parts
    try {
      return await mine.run(() => slots.run(() => segments.fetch(segment, signal), signal), signal)
    } catch (error) {
      throw signal.aborted ? abortedError('no', `read ${segment.objectKey}`) : error
    }
  }

  #first(): { readonly slots: Slots; readonly abort: AbortController; readonly release: () => void } {
    const abort = new AbortController()
    return { slots: new Slots(fixedLimits.readsPerFetch), abort, release: onAbort(this.#signal, () => abort.abort()) }
  }
}

function placeOf({ objectKey, byteStart }: Segment): string {
  return `${objectKey}:${byteStart}`
}

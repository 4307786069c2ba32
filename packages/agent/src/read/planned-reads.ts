// The reads of one fetch, side by side: what the answer will need is requested from the store at once, so that it waits for one read and not for all in turn.
import { fixedLimits } from '../limits.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import { abortedError } from '../objects/object-store.ts'
import type { StoredRange } from '../objects/stored-range.ts'
import { onAbort } from '../time/abort.ts'
import { Slots } from '../time/slots.ts'
import type { SegmentReader } from './segment-reader.ts'
import { type TouchingSegments, touchingSegments } from './touching-segments.ts'

export interface PlannedReadsParts {
  readonly segments: Pick<SegmentReader, 'isInMemory' | 'kept' | 'fetch' | 'fetchTogether'>
  /** The slots of all fetches of the agent. */
  readonly slots: Slots
}

export class PlannedReads {
  readonly #parts: PlannedReadsParts
  readonly #signal: AbortSignal
  readonly #reads = new Map<string, Promise<StoredRange>>()
  /** By place: a request may name a partition twice. */
  readonly #missing = new Map<string, Segment>()
  /** Segments that were in memory when they were planned. */
  #present: Segment[] = []
  /** Their bytes, once other segments are read: what comes into memory would otherwise evict them before the answer takes them. */
  readonly #kept = new Map<string, StoredRange>()
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

  /** Plans what a partition gets: its next segments, up to `maxBytes`. Segments in memory count, but are not read: they stay in memory. */
  plan(found: readonly Segment[], maxBytes: number): void {
    let bytes = Math.min(maxBytes, this.#leftBytes)
    for (const segment of found) {
      if (bytes <= 0) return
      bytes -= segment.sizeBytes
      this.#leftBytes -= segment.sizeBytes
      const place = placeOf(segment)
      if (segment.sizeBytes === 0 || this.#reads.has(place)) continue
      if (this.#parts.segments.isInMemory(segment)) this.#present.push(segment)
      else this.#missing.set(place, segment)
    }
  }

  /** Plans the next segments of an answer that has fewer bytes than were planned for it, and begins to read them. */
  planMore(found: readonly Segment[], maxBytes: number): void {
    this.plan(found, maxBytes)
    this.begin()
  }

  /** Begins to read what was planned. Segments that touch in one object are one read. */
  begin(): void {
    if (this.#missing.size === 0) return
    this.#keepPresent()
    for (const touching of touchingSegments(this.#missing.values())) this.#begin(touching)
    this.#missing.clear()
  }

  /** The bytes of the segment, if they were in memory when others had to be read. The caller releases them; a second call returns nothing. */
  takeKept(segment: Segment): StoredRange | undefined {
    if (this.#kept.size === 0) return undefined
    const place = placeOf(segment)
    const kept = this.#kept.get(place)
    this.#kept.delete(place)
    return kept
  }

  /** The bytes of the segment, if they are being read. The caller releases them; a second call returns nothing. */
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
    for (const kept of this.#kept.values()) kept.release()
    this.#kept.clear()
  }

  #keepPresent(): void {
    for (const segment of this.#present) {
      const place = placeOf(segment)
      const kept = this.#kept.has(place) ? undefined : this.#parts.segments.kept(segment)
      if (kept !== undefined) this.#kept.set(place, kept)
    }
    this.#present = []
  }

  #begin(touching: TouchingSegments): void {
    this.#begun ??= this.#first()
    const { slots, abort } = this.#begun
    const reads = touching.segments.map((segment) => ({ segment, ...Promise.withResolvers<StoredRange>() }))
    for (const { segment, promise } of reads) {
      // The answer reports the failure when it comes to this segment, if it does.
      promise.catch(() => {})
      this.#reads.set(placeOf(segment), promise)
    }
    void this.#read(touching, reads, slots, abort.signal)
  }

  async #read(touching: TouchingSegments, reads: readonly PlannedRead[], mine: Slots, signal: AbortSignal): Promise<void> {
    const { segments, slots } = this.#parts
    const together = async (): Promise<void> => {
      // It comes first, so that the segments wait for its request, and have none of their own.
      if (reads.length > 1)
        segments.fetchTogether(touching, signal).then(
          (stored) => stored.release(),
          () => {},
        )
      for (const { segment, resolve } of reads) resolve(segments.fetch(segment, signal))
      await Promise.allSettled(reads.map(({ promise }) => promise))
    }
    try {
      await mine.run(() => slots.run(together, signal), signal)
    } catch {
      // The fetch has given up before the read could begin.
      for (const { reject } of reads) reject(abortedError('no', `read ${touching.objectKey}`))
    }
  }

  #first(): { readonly slots: Slots; readonly abort: AbortController; readonly release: () => void } {
    const abort = new AbortController()
    return { slots: new Slots(fixedLimits.readsPerFetch), abort, release: onAbort(this.#signal, () => abort.abort()) }
  }
}

interface PlannedRead extends PromiseWithResolvers<StoredRange> {
  readonly segment: Segment
}

function placeOf({ objectKey, byteStart }: Segment): string {
  return `${objectKey}:${byteStart}`
}

// Segments that touch in one object, as one range: one read brings the partitions that were written together.
import { fixedLimits } from '../limits.ts'
import type { Segment } from '../metadata/metadata-store.ts'

export interface TouchingSegments {
  readonly objectKey: string
  readonly start: number
  readonly length: number
  readonly segments: readonly Segment[]
}

export interface TouchingBounds {
  /** A range is longer only if a segment is. Default: as long as what a slab holds. */
  readonly maxBytes?: number
  /** How much of a range the segments are at least: with less than 1, gaps between them are read with them, which saves requests. Default: 1. */
  readonly leastPart?: number
}

/** In the order of their objects. */
export function touchingSegments(
  segments: Iterable<Segment>,
  { maxBytes = fixedLimits.touchingReadBytes, leastPart = 1 }: TouchingBounds = {},
): readonly TouchingSegments[] {
  return [...Map.groupBy(segments, ({ objectKey }) => objectKey)].flatMap(([objectKey, inObject]) => {
    const ranges: {
      readonly objectKey: string
      readonly start: number
      length: number
      wantedBytes: number
      readonly segments: Segment[]
    }[] = []
    for (const segment of inObject.toSorted((a, b) => a.byteStart - b.byteStart)) {
      const last = ranges.at(-1)
      if (last !== undefined) {
        const gapBytes = Math.max(0, segment.byteStart - last.start - last.length)
        const length = Math.max(last.length, segment.byteStart + segment.sizeBytes - last.start)
        const wantedBytes = last.wantedBytes + length - last.length - gapBytes
        if (length <= maxBytes && (gapBytes === 0 || wantedBytes >= length * leastPart)) {
          last.length = length
          last.wantedBytes = wantedBytes
          last.segments.push(segment)
          continue
        }
      }
      const { byteStart: start, sizeBytes: length } = segment
      ranges.push({ objectKey, start, length, wantedBytes: length, segments: [segment] })
    }
    return ranges
  })
}

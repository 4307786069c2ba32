// Segments that touch in one object, as one range: one read brings the partitions that were written together.
import { fixedLimits } from '../limits.ts'
import type { Segment } from '../metadata/metadata-store.ts'

export interface TouchingSegments {
  readonly objectKey: string
  readonly start: number
  readonly length: number
  readonly segments: readonly Segment[]
}

/** In the order of their objects. A range is longer than `maxBytes` only if a segment is. */
export function touchingSegments(
  segments: Iterable<Segment>,
  maxBytes: number = fixedLimits.touchingReadBytes,
): readonly TouchingSegments[] {
  return [...Map.groupBy(segments, ({ objectKey }) => objectKey)].flatMap(([objectKey, inObject]) => {
    const ranges: { readonly objectKey: string; readonly start: number; length: number; readonly segments: Segment[] }[] = []
    for (const segment of inObject.toSorted((a, b) => a.byteStart - b.byteStart)) {
      const last = ranges.at(-1)
      const end = segment.byteStart + segment.sizeBytes
      if (last !== undefined && segment.byteStart <= last.start + last.length && end - last.start <= maxBytes) {
        last.length = Math.max(last.length, end - last.start)
        last.segments.push(segment)
      } else ranges.push({ objectKey, start: segment.byteStart, length: segment.sizeBytes, segments: [segment] })
    }
    return ranges
  })
}

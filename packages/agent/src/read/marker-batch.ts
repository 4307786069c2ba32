// The bytes of a segment that is a marker: no object has them, so they are made for each reader.
import type { Checksum } from '../core/checksum.ts'
import { controlBatch } from '../core/log/control-batch.ts'
import type { Segment } from '../metadata/segment.ts'

/** A control batch at its final offset; undefined if the segment is not a marker. */
export function markerBatch({ marker, baseOffset, maxTimestamp }: Segment, crc32c: Checksum): Uint8Array | undefined {
  return marker && controlBatch(marker, { offset: baseOffset, timestamp: maxTimestamp }, crc32c)
}

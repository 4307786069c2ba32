// Reads many segments with few requests, for a job that writes them again: those that touch in one object are one read. Every batch is checked.
import { must } from '../core/assert.ts'
import type { Checksum } from '../core/checksum.ts'
import type { TopicPartition } from '../core/ids.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { Turns } from '../time/turns.ts'
import { checkSegment, isCorrupt } from './batches.ts'
import type { SegmentReader } from './segment-reader.ts'
import { type TouchingSegments, touchingSegments } from './touching-segments.ts'

export interface SegmentOfLog {
  readonly of: TopicPartition
  readonly segment: Segment
}

export interface SegmentsTogetherParts {
  /** Without a cache: its bytes are not those that the store has. */
  readonly objects: Pick<ObjectStore, 'read'>
  readonly segments: Pick<SegmentReader, 'examine'>
  readonly crc32c: Checksum
  readonly turns: Turns
}

export interface ReadTogether {
  /** Called before each read, with its size. */
  readonly pace: (bytes: number) => Promise<void>
  /** Memory of so many bytes, for the bytes of intact segments. */
  readonly take: (sizeBytes: number) => Uint8Array
  readonly signal: AbortSignal
}

/** The bytes of the segments, in the order of the request. Undefined: they are damaged, which is reported. Rejects with an ObjectStoreError if the store is away. */
export async function readTogether(
  parts: SegmentsTogetherParts,
  asked: readonly SegmentOfLog[],
  { pace, take, signal }: ReadTogether,
): Promise<readonly (Uint8Array | undefined)[]> {
  const logOf = new Map(asked.map(({ of, segment }) => [segment, of]))
  const found = new Map<Segment, Uint8Array>()
  const slice = parts.turns.slice()
  for (const touching of touchingSegments(logOf.keys())) {
    signal.throwIfAborted()
    await pace(touching.length)
    const bytes = await bytesOf(parts, touching, take(touching.length), signal)
    for (const segment of touching.segments) {
      const own = bytes && intact(parts, bytes, segment, touching.start)
      // A second read, by itself, which reports what is wrong with it.
      const read = own ?? (await examined(parts, { of: must(logOf.get(segment), 'the log of a segment'), segment }, signal))
      if (read !== undefined) found.set(segment, read)
      if (slice.spent(1 + segment.sizeBytes / checkedBytesPerUnit)) await slice.next()
    }
  }
  return asked.map(({ segment }) => found.get(segment))
}

/** Checksums are some gigabytes a second, so that a unit is a few microseconds. */
const checkedBytesPerUnit = 8 * 1024

/** In the given memory: the check writes offsets into them. Undefined: some of the bytes are missing. */
async function bytesOf(
  { objects }: SegmentsTogetherParts,
  { objectKey, start, length }: TouchingSegments,
  into: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    const read = await objects.read(objectKey, { start, length, into }, signal)
    if (read.buffer !== into.buffer || read.byteOffset !== into.byteOffset) into.set(read)
    return into
  } catch (error) {
    if (isCorrupt(error)) return undefined
    throw error
  }
}

function intact({ crc32c }: SegmentsTogetherParts, bytes: Uint8Array, segment: Segment, start: number): Uint8Array | undefined {
  const first = segment.byteStart - start
  const own = bytes.subarray(first, first + segment.sizeBytes)
  try {
    checkSegment({ pieces: [own], isAsPut: false }, segment, crc32c)
    return own
  } catch (error) {
    if (isCorrupt(error)) return undefined
    throw error
  }
}

async function examined(
  { segments }: SegmentsTogetherParts,
  { of, segment }: SegmentOfLog,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const { bytes, left } = await segments.examine({ of, segment, signal })
  return left === undefined ? bytes : undefined
}

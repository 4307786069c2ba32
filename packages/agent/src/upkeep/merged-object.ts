// One merged object: the bytes of its sources, sorted by partition, stored under the job's incarnation and swapped in.
import { must } from '../core/assert.ts'
import { type Checksum, joinChecksums } from '../core/checksum.ts'
import type { ClusterId, Incarnation, Sequence, TopicPartition } from '../core/ids.ts'
import { checksumAfter } from '../core/log/batch-checksum.ts'
import type { NewSegment } from '../core/log/compaction/compacted-segments.ts'
import { controlBatch } from '../core/log/control-batch.ts'
import type { Marker } from '../core/log/marker.ts'
import type { MergedRun } from '../core/log/merge/merge-plan.ts'
import { type MergedSegmentBounds, MergedSegments } from '../core/log/merge/merged-segments.ts'
import { objectKey } from '../core/object-key.ts'
import { ObjectMemory } from '../memory/object-memory.ts'
import type { SlabPool } from '../memory/slab-pool.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import type { MergedTo, MergeSource, SwappedLog, SwapStore } from '../metadata/swap-store.ts'
import { encodeObject } from '../objects/object-format.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { Turns } from '../time/turns.ts'
import type { Pace } from './storage-walk.ts'

export interface MergedObjectParts {
  readonly clusterId: ClusterId
  readonly swaps: Pick<SwapStore, 'swap'>
  readonly objects: Pick<ObjectStore, 'put'>
  /** The bytes of the segments, checked, in the order of the request. Undefined: they are damaged. */
  readonly readSegments: (
    asked: readonly { readonly of: TopicPartition; readonly segment: Segment }[],
    read: { readonly pace: Pace; readonly take: (sizeBytes: number) => Uint8Array; readonly signal: AbortSignal },
  ) => Promise<readonly (Uint8Array | undefined)[]>
  readonly crc32c: Checksum
  readonly turns: Turns
  readonly memory: SlabPool
}

/** A log that gives segments to the object. */
export interface MergedLogOf extends TopicPartition {
  /** The epoch of the partition's slot. */
  readonly epoch: number
  readonly bounds: MergedSegmentBounds
  /** What is true of the log after the swap of these sources. */
  readonly merged: (sources: readonly MergeSource[], segments: readonly NewSegment[]) => MergedTo
}

export interface MergedObjectOf {
  readonly runs: readonly MergedRun<MergedLogOf, MergeSource>[]
  readonly job: Incarnation
  readonly nextSequence: () => Sequence
  readonly pace: Pace
  readonly signal: AbortSignal
}

export interface MergedObject {
  /** `nothing`: the first segments of all of the logs are damaged. */
  readonly end: 'swapped' | 'changed' | 'fenced' | 'nothing'
  /** Each log with what was merged of it: less than was asked if a segment is damaged, and nothing if the first one is. */
  readonly runs: readonly MergedRun<MergedLogOf, MergeSource>[]
  readonly segmentCount: number
  readonly bytesRead: number
  readonly bytesWritten: number
}

/** Rejects as the stores do, and with the signal's reason. An object that is not swapped in is never referred to. */
export async function mergeIntoObject(parts: MergedObjectParts, of: MergedObjectOf): Promise<MergedObject> {
  const memory = new ObjectMemory()
  try {
    const merged = await mergeIn(memory, parts, of)
    memory.release()
    return merged
  } catch (error) {
    memory.abandon()
    throw error
  }
}

async function mergeIn(memory: ObjectMemory, parts: MergedObjectParts, of: MergedObjectOf): Promise<MergedObject> {
  const { clusterId, objects, swaps, crc32c } = parts
  const { job, nextSequence, pace, signal } = of
  const asked = of.runs.flatMap(({ log: { topicId, partition }, sources }) =>
    sources.map((segment) => ({ of: { topicId, partition }, segment })),
  )
  // No object has the bytes of markers: from here on this one has them.
  const stored = asked.filter(({ segment }) => segment.marker === undefined)
  const take = (sizeBytes: number): Uint8Array => memory.take(parts.memory, sizeBytes)
  const bytesRead = stored.reduce((sum, { segment }) => sum + segment.sizeBytes, 0)
  memory.reserve(parts.memory, bytesRead)
  const bytes = await parts.readSegments(stored, { pace, take, signal })
  const bytesOf = new Map<MergeSource, Uint8Array | undefined>(stored.map(({ segment }, index) => [segment, bytes[index]]))
  for (const { segment } of asked) if (segment.marker !== undefined) bytesOf.set(segment, markerBytes(segment, segment.marker, crc32c))
  const runs = of.runs.map(({ log, sources }) => {
    const damaged = sources.findIndex((source) => bytesOf.get(source) === undefined)
    return { log, sources: damaged < 0 ? sources : sources.slice(0, damaged) }
  })
  const checksums = new Map<Uint8Array, number>()
  const laidOut = []
  const slice = parts.turns.slice()
  for (const { log, sources } of sortedByPartition(runs)) {
    const merged = new MergedSegments(log.bounds)
    for (const source of sources) {
      const own = must(bytesOf.get(source), 'the bytes of a source')
      let checksum = 0
      let at = 0
      for (const sizeBytes of merged.add({ ...source, bytes: own })) {
        checksum = checksumAfter(checksum, own.subarray(at, at + sizeBytes), crc32c)
        at += sizeBytes
        if (!slice.spent(1 + sizeBytes / mergedBytesPerUnit)) continue
        signal.throwIfAborted()
        await slice.next()
      }
      checksums.set(own, checksum)
    }
    laidOut.push({ log, sources, ...merged.finish() })
  }
  if (laidOut.length === 0) return { end: 'nothing', runs, segmentCount: 0, bytesRead, bytesWritten: 0 }
  signal.throwIfAborted()
  const sequence = nextSequence()
  const groups = laidOut.map(({ log: { topicId, partition, epoch }, chunks, batchCount }) => {
    return { topicId, partition, epoch, chunks, batches: batchCount }
  })
  // Each chunk was summed in a turn of its own.
  const encoded = encodeObject({ clusterId, incarnation: job, sequence, groups }, crc32c, (chunk, before = 0) =>
    joinChecksums(before, must(checksums.get(chunk), 'the checksum of a chunk'), chunk.length),
  )
  // The swap removes bytes that were on the disk, so these must be, whatever the durability of new records is.
  await objects.put(objectKey(clusterId, job, sequence), Object.assign(encoded.chunks, { mustBeDurable: true as const }), signal)
  const logs = laidOut.map(({ log, sources, segments }, index): SwappedLog => {
    const start = must(encoded.starts[index], 'the start of a group')
    const { topicId, partition } = log
    const placed = segments.map((segment) => ({ ...segment, byteStart: start + segment.byteStart }))
    return { topicId, partition, sources, segments: placed, merged: log.merged(sources, segments) }
  })
  // As old as its newest source: the age of records without timestamps is that of their object.
  const ageMs = Math.min(...laidOut.flatMap(({ sources }) => sources.map(({ ageMs: own, beside }) => beside?.ageMs ?? own)))
  const object = { sizeBytes: encoded.sizeBytes, checksum: encoded.checksum, ageMs }
  const end = await swaps.swap({ incarnation: job, sequence, object, logs })
  const segmentCount = laidOut.reduce((sum, { segments }) => sum + segments.length, 0)
  return { end, runs, segmentCount, bytesRead, bytesWritten: encoded.sizeBytes }
}

function markerBytes({ baseOffset, maxTimestamp }: MergeSource, marker: Marker, crc32c: Checksum): Uint8Array {
  return controlBatch(marker, { offset: baseOffset, timestamp: maxTimestamp }, crc32c)
}

function sortedByPartition(runs: readonly MergedRun<MergedLogOf, MergeSource>[]): readonly MergedRun<MergedLogOf, MergeSource>[] {
  return runs
    .filter(({ sources }) => sources.length > 0)
    .toSorted(({ log: a }, { log: b }) => (a.topicId === b.topicId ? a.partition - b.partition : a.topicId < b.topicId ? -1 : 1))
}

/** Batches are walked, and small ones are summed, some gigabytes a second, so that a unit is a few microseconds. */
const mergedBytesPerUnit = 8 * 1024

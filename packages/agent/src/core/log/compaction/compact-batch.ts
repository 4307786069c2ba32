// What log compaction leaves of one batch, by the rules of Kafka's log cleaner: the last value of each key, tombstones for a while, and the sequences of live producers.
import {
  attributeBits,
  type BatchHeader,
  batchLayout,
  filterRecords,
  ProtocolError,
  type RecordTable,
  readBatchHeader,
  scanRecords,
} from '@local-kafka-service/protocol'
import { fixedLimits } from '../../../limits.ts'
import { must } from '../../assert.ts'
import type { BatchReaders } from '../validate.ts'
import type { KeyOffsets } from './key-offsets.ts'

export interface CompactionRules {
  /** The last offset of each key in the part of the log that this pass knows. */
  readonly latest: Pick<KeyOffsets, 'lastOffsetsOf'>
  /** The end of that part. Batches that reach it stay as they are. */
  readonly endOffset: number
  readonly nowMs: number
  /** `delete.retention.ms`. */
  readonly deleteRetentionMs: number
  /** The same for markers. Not below the time that readers may need for segments that were replaced: see `compactMarker`. */
  readonly markerRetentionMs: number
  /** Of a live idempotent producer. Undefined: the log remembers nothing of the producer. */
  readonly producerOf: (producerId: number) => RememberedProducer | undefined
}

export interface RememberedProducer {
  /** Of its last batch. Undefined: it has sent none in this epoch. */
  readonly lastOffset?: number | undefined
  readonly producerEpoch: number
}

/** What a pass reads batches with. */
export interface CompactionReaders extends BatchReaders {
  /** Memory for the records of a batch. */
  readonly records: RecordTable
}

export type CompactedBatch =
  | { readonly kind: 'kept' | 'removed' }
  /** Its records and their timestamps may differ, its offsets and sequences do not. */
  | { readonly kind: 'rewritten'; readonly bytes: Uint8Array; readonly maxTimestamp: number }

/** The batch at `at`, whose checksum is right: not a marker. Changes nothing. A batch that cannot be unpacked is kept: nothing says that its records are superseded. */
export function compactBatch(
  bytes: Uint8Array,
  { at, baseOffset, isAborted }: { readonly at: number; readonly baseOffset: number; readonly isAborted: boolean },
  rules: CompactionRules,
  readers: CompactionReaders,
): CompactedBatch {
  const header = readBatchHeader(bytes, at)
  const lastOffset = baseOffset + header.lastOffsetDelta
  if (lastOffset >= rules.endOffset) return kept
  const horizonMs = horizonOf(header)
  const keepsTombstones = horizonMs === undefined || rules.nowMs < horizonMs
  const filter = {
    ...readers,
    maxBytes: fixedLimits.decompressedBytes,
    deleteHorizonMs: rules.nowMs + rules.deleteRetentionMs,
    table: readers.records,
    keep: (records: RecordTable, kept: Uint8Array) => {
      const latest = new Float64Array(records.count)
      rules.latest.lastOffsetsOf(records, latest)
      for (let index = 0; index < records.count; index++) {
        const offset = baseOffset + must(records.offsetDelta[index], 'an offset delta')
        const mayStay = records.hasKey(index) && (keepsTombstones || records.hasValue[index] !== 0)
        if (mayStay && must(latest[index], 'a last offset') <= offset) kept[index] = 1
      }
    },
  }
  // Nothing is left of a batch that was aborted, whatever its records are.
  if (!isAborted) {
    const filtered = readable(() => filterRecords(bytes, at, filter))
    if (filtered === undefined || filtered.kind === 'same') return kept
    if (filtered.kind === 'rewritten') return filtered
  }
  if (header.producerId < 0 || rules.producerOf(header.producerId)?.lastOffset !== lastOffset) return { kind: 'removed' }
  if (header.recordCount === 0) return kept
  return { kind: 'rewritten', bytes: emptied(bytes.subarray(at, at + batchLayout.records), header, readers), maxTimestamp: -1 }
}

/**
 * The marker at `at`, of a transaction without batches: nothing needs it any more. Like a tombstone it stays until a delete horizon, which the first pass sets: a
 * reader that still has records of the transaction, from before they were removed, needs the marker.
 */
export function compactMarker(bytes: Uint8Array, at: number, rules: CompactionRules, readers: CompactionReaders): CompactedBatch {
  const header = readBatchHeader(bytes, at)
  const horizonMs = horizonOf(header)
  if (header.recordCount > 0 && (horizonMs === undefined || rules.nowMs < horizonMs)) {
    const filtered = filterRecords(bytes, at, {
      ...readers,
      maxBytes: fixedLimits.decompressedBytes,
      deleteHorizonMs: rules.nowMs + rules.markerRetentionMs,
      alwaysSetsHorizon: true,
      table: readers.records,
      keep: (_, keptRecords: Uint8Array) => keptRecords.fill(1),
    })
    return filtered.kind === 'rewritten' ? filtered : kept
  }
  const producer = rules.producerOf(header.producerId)
  // The last thing that the log knows of a producer stays, without its record.
  if (producer === undefined || producer.lastOffset !== undefined || producer.producerEpoch !== header.producerEpoch)
    return { kind: 'removed' }
  if (header.recordCount === 0) return kept
  return { kind: 'rewritten', bytes: emptied(bytes.subarray(at, at + batchLayout.records), header, readers), maxTimestamp: -1 }
}

function horizonOf({ attributes, baseTimestamp }: BatchHeader): number | undefined {
  return (attributes & attributeBits.deleteHorizon) === 0 ? undefined : baseTimestamp
}

/**
 * Puts the keys of the batch at `at` into the map. False: it has no room for them, and has none of them. Batches without readable records have no keys, and those
 * of a batch with more records than an empty map has room for are left out: then fewer records are removed.
 */
export function addKeys(
  bytes: Uint8Array,
  { at, baseOffset }: { readonly at: number; readonly baseOffset: number },
  latest: KeyOffsets,
  { codecs, records }: Omit<CompactionReaders, 'crc32c'>,
): boolean {
  const header = readBatchHeader(bytes, at)
  if ((header.attributes & attributeBits.control) !== 0 || header.recordCount === 0) return true
  if (header.recordCount > latest.room) return latest.keys === 0
  readable(() => {
    scanRecords(bytes, at, { codecs, maxBytes: fixedLimits.decompressedBytes }, records)
    latest.putAll(records, { baseOffset, offsetDelta: records.offsetDelta })
  })
  return true
}

const kept: CompactedBatch = { kind: 'kept' }

function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/** Like Kafka's DefaultRecordBatch.writeEmptyHeader: it keeps the offsets, the sequences and the largest timestamp of the batch. */
function emptied(start: Uint8Array, header: BatchHeader, { crc32c }: Pick<BatchReaders, 'crc32c'>): Uint8Array {
  const batch = Uint8Array.from(start)
  const view = new DataView(batch.buffer)
  view.setInt32(batchLayout.length, batchLayout.records - batchLayout.leaderEpoch)
  view.setInt16(
    batchLayout.attributes,
    header.attributes & (attributeBits.logAppendTime | attributeBits.transactional | attributeBits.control),
  )
  view.setBigInt64(batchLayout.baseTimestamp, -1n)
  view.setInt32(batchLayout.recordCount, 0)
  view.setUint32(batchLayout.crc, crc32c(batch.subarray(batchLayout.attributes)))
  return batch
}

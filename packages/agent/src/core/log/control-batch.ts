// The bytes of a marker: a control batch with one record, as Kafka's EndTransactionMarker writes it.
import {
  attributeBits,
  batchLayout,
  type RecordCoding,
  type RecordTable,
  readBatchHeader,
  scanRecords,
} from '@local-kafka-service/protocol'
import { assert } from '../assert.ts'
import type { Checksum } from '../checksum.ts'
import type { TransactionResult } from '../transaction/transaction-row.ts'
import type { Marker } from './marker.ts'

/** A batch of format 2 at the offset. `timestamp`: when the transaction ended, in milliseconds since the epoch. */
export function controlBatch(
  { producerId, producerEpoch, outcome, coordinatorEpoch, leaderEpoch }: Marker,
  { offset, timestamp }: { readonly offset: number; readonly timestamp: number },
  crc32c: Checksum,
): Uint8Array {
  const batch = new Uint8Array(batchLayout.records + recordBytes)
  const view = new DataView(batch.buffer)
  view.setBigInt64(batchLayout.baseOffset, BigInt(offset))
  view.setInt32(batchLayout.length, batch.length - batchLayout.leaderEpoch)
  view.setInt32(batchLayout.leaderEpoch, leaderEpoch)
  view.setInt8(batchLayout.magic, 2)
  view.setInt16(batchLayout.attributes, attributeBits.transactional | attributeBits.control)
  view.setBigInt64(batchLayout.baseTimestamp, BigInt(timestamp))
  view.setBigInt64(batchLayout.maxTimestamp, BigInt(timestamp))
  view.setBigInt64(batchLayout.producerId, BigInt(producerId))
  view.setInt16(batchLayout.producerEpoch, producerEpoch)
  view.setInt32(batchLayout.baseSequence, -1)
  view.setInt32(batchLayout.recordCount, 1)
  // A length, then attributes, timestamp and offset deltas of 0. Lengths are zigzag varints, so they are doubled.
  batch[batchLayout.records] = 2 * (recordBytes - 1)
  batch[keyAt - 1] = 2 * keyBytes
  view.setInt16(keyAt + 2, outcome === 'commit' ? 1 : 0)
  batch[valueAt - 1] = 2 * valueBytes
  view.setInt32(valueAt + 2, coordinatorEpoch)
  view.setUint32(batchLayout.crc, crc32c(batch.subarray(batchLayout.attributes)))
  return batch
}

/** What the marker in the batch at `at` says. Undefined: log compaction has removed its record. */
export function markerOutcome(
  bytes: Uint8Array,
  at: number,
  { codecs, records }: Pick<RecordCoding, 'codecs'> & { readonly records: RecordTable },
): TransactionResult | undefined {
  if (readBatchHeader(bytes, at).recordCount === 0) return undefined
  scanRecords(bytes, at, { codecs, maxBytes: recordBytes }, records)
  const [start = 0] = records.keyStart
  const [end = 0] = records.keyEnd
  assert(end - start === keyBytes, 'the key of a marker has a version and a kind')
  return new DataView(records.bytes.buffer, records.bytes.byteOffset + start).getInt16(2) === 1 ? 'commit' : 'abort'
}

/** A version, 0, and the kind of the marker. */
const keyBytes = 4
/** A version, 0, and the epoch of the coordinator. */
const valueBytes = 6
const keyAt = batchLayout.records + 5
const valueAt = keyAt + keyBytes + 1
/** With the number of headers, 0. */
const recordBytes = valueAt + valueBytes + 1 - batchLayout.records

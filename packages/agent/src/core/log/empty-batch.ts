// An empty batch, as Kafka's log cleaner leaves them: it has no records, and stands for offsets that no consumer will ever receive.
import { attributeBits, type BatchHeader, batchLayout } from '@local-kafka-service/protocol'
import type { Checksum } from '../checksum.ts'

/** A batch of format 2 without records that covers the offsets. It names no leader epoch and no producer. */
export function emptyBatch({ offset, lastOffset }: { readonly offset: number; readonly lastOffset: number }, crc32c: Checksum): Uint8Array {
  const batch = new Uint8Array(batchLayout.records)
  const view = new DataView(batch.buffer)
  view.setBigInt64(batchLayout.baseOffset, BigInt(offset))
  view.setInt32(batchLayout.length, batchLayout.records - batchLayout.leaderEpoch)
  view.setInt32(batchLayout.leaderEpoch, -1)
  view.setInt8(batchLayout.magic, 2)
  view.setInt32(batchLayout.lastOffsetDelta, lastOffset - offset)
  view.setBigInt64(batchLayout.baseTimestamp, -1n)
  view.setBigInt64(batchLayout.maxTimestamp, -1n)
  view.setBigInt64(batchLayout.producerId, -1n)
  view.setInt16(batchLayout.producerEpoch, -1)
  view.setInt32(batchLayout.baseSequence, -1)
  view.setUint32(batchLayout.crc, crc32c(batch.subarray(batchLayout.attributes)))
  return batch
}

/** The most offsets that one batch covers: its last offset delta has 32 bits. */
export const offsetsPerBatch = 2 ** 31

/** Whether the batch only fills the offsets between others. The empty last batch of a producer does not: it keeps the producer's sequence. */
export function isFiller({ recordCount, producerId, attributes }: BatchHeader): boolean {
  return recordCount === 0 && producerId < 0 && (attributes & attributeBits.control) === 0
}

/**
 * Whether the batch has no records. Clients are sent no such batch if another one follows: they need none, and kafka-go 0.4.51 and kafkajs 2.2.4 do not get
 * past an answer with nothing else (findings/kafka-go-empty-batch.sh).
 */
export function isEmpty({ recordCount }: Pick<BatchHeader, 'recordCount'>): boolean {
  return recordCount === 0
}

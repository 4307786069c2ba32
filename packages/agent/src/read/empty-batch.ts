// An empty batch, as Kafka's log cleaner leaves them: it has no records, and takes consumers past offsets that none of them will ever receive.
import { batchLayout } from '@local-kafka-service/protocol'
import type { Checksum } from '../core/checksum.ts'

/** A batch of format 2 without records that covers the offsets. It names no leader epoch and no producer. */
export function emptyBatch({ offset, lastOffset }: { readonly offset: number; readonly lastOffset: number }, crc32c: Checksum): Uint8Array {
  const batch = Buffer.alloc(batchLayout.records)
  batch.writeBigInt64BE(BigInt(offset), batchLayout.baseOffset)
  batch.writeInt32BE(batchLayout.records - batchLayout.leaderEpoch, batchLayout.length)
  batch.writeInt32BE(-1, batchLayout.leaderEpoch)
  batch.writeInt8(2, batchLayout.magic)
  batch.writeInt32BE(lastOffset - offset, batchLayout.lastOffsetDelta)
  batch.writeBigInt64BE(-1n, batchLayout.baseTimestamp)
  batch.writeBigInt64BE(-1n, batchLayout.maxTimestamp)
  batch.writeBigInt64BE(-1n, batchLayout.producerId)
  batch.writeInt16BE(-1, batchLayout.producerEpoch)
  batch.writeInt32BE(-1, batchLayout.baseSequence)
  batch.writeUInt32BE(crc32c(batch.subarray(batchLayout.attributes)), batchLayout.crc)
  return batch
}

// The checksum of a sequence of batches from the checksums that they carry.
import { batchLayout } from '@local-kafka-service/protocol'
import { type Checksum, joinChecksums } from '../checksum.ts'

/** A batch of this size or more is not read again. */
const joinedBytes = 2 * 1024

/** Continues the checksum with one batch, whose own checksum was verified or computed before, so its bytes need not be read again: it covers the batch from its attributes on. */
export function checksumAfter(before: number, batch: Uint8Array, crc32c: Checksum): number {
  if (batch.length < joinedBytes) return crc32c(batch, before)
  const { attributes, crc } = batchLayout
  const covered = new DataView(batch.buffer, batch.byteOffset + crc).getUint32(0)
  return joinChecksums(crc32c(batch.subarray(0, attributes), before), covered, batch.length - attributes)
}

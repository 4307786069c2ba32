// The record errors of a rejected batch, as Kafka's LogValidator reports them: records whose timestamps are out of range, and records without a key in a compacted
// topic. Other errors are of the whole batch.
import { type BatchHeader, readUnpackedRecords } from '@local-kafka-service/protocol'
import type { AppendRules } from './validate.ts'

export interface RecordError {
  /** The record's index in the batch, from 0. */
  readonly batchIndex: number
  readonly batchIndexErrorMessage: string
}

/**
 * The record errors of a batch that was rejected with INVALID_TIMESTAMP, from its unpacked records. Yields undefined for a record that has none, so that the
 * caller can take turns. Throws a ProtocolError at the first record that cannot be read.
 */
export function* timestampErrors(header: BatchHeader, unpacked: Uint8Array, rules: AppendRules): Generator<RecordError | undefined, void> {
  const { nowMs, beforeMaxMs, afterMaxMs } = rules
  const allowed = `[${BigInt(nowMs) - beforeMaxMs}, ${BigInt(nowMs) + afterMaxMs}]`
  let batchIndex = 0
  for (const { timestamp } of readUnpackedRecords(header, unpacked)) {
    if (timestamp !== -1 && (timestamp - nowMs > afterMaxMs || nowMs - timestamp > beforeMaxMs)) {
      const batchIndexErrorMessage = `Timestamp ${timestamp} of message with offset ${batchIndex} is out of range. The timestamp should be within ${allowed}`
      yield { batchIndex, batchIndexErrorMessage }
    } else yield undefined
    batchIndex += 1
  }
}

/** The indexes of the unpacked records that have no key. Yields undefined for a record with a key. Throws a ProtocolError at the first record that cannot be read. */
export function* withoutKey(header: BatchHeader, unpacked: Uint8Array): Generator<number | undefined, void> {
  let batchIndex = 0
  for (const { key } of readUnpackedRecords(header, unpacked)) {
    yield key === null ? batchIndex : undefined
    batchIndex += 1
  }
}

/** The errors and the text of Kafka for such records in a compacted topic. `topicPartition` is Kafka's name of the partition: `topic-0`. `count` may exceed the indexes. */
export function keyErrors(
  { indexes, count }: { readonly indexes: readonly number[]; readonly count: number },
  topicPartition: string,
): { readonly recordErrors: readonly RecordError[]; readonly message: string } {
  const batchIndexErrorMessage = `Compacted topic cannot accept message without key in topic partition ${topicPartition}`
  const first = indexes.slice(0, 3).map((batchIndex) => `RecordError(batchIndex=${batchIndex}, message='${batchIndexErrorMessage}')`)
  return {
    recordErrors: indexes.map((batchIndex) => ({ batchIndex, batchIndexErrorMessage })),
    message: `One or more records have been rejected due to ${count} record errors in total, and only showing the first three errors at most: [${first.join(', ')}]`,
  }
}

// The record errors of a rejected batch, as Kafka's LogValidator reports them: records whose timestamps are out of range. Other errors are of the whole batch.
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

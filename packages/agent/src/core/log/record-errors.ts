// The record errors of a rejected batch, as Kafka's LogValidator reports them: records whose timestamps are out of range. Other errors are of the whole batch.
import { type Codecs, readRecords } from '@local-kafka-service/protocol'
import { fixedLimits } from '../../limits.ts'
import type { AppendRules } from './validate.ts'

export interface RecordError {
  /** The record's index in the batch, from 0. */
  readonly batchIndex: number
  readonly batchIndexErrorMessage: string
}

/** The record errors of a batch that was rejected with INVALID_TIMESTAMP. Empty if its records cannot be read, or if only its header is wrong. */
export function timestampErrors(batch: Uint8Array, rules: AppendRules, codecs: Codecs): readonly RecordError[] {
  const { nowMs, beforeMaxMs, afterMaxMs } = rules
  const allowed = `[${BigInt(nowMs) - beforeMaxMs}, ${BigInt(nowMs) + afterMaxMs}]`
  const found: RecordError[] = []
  try {
    let batchIndex = 0
    for (const { timestamp } of readRecords(batch, 0, codecs, fixedLimits.decompressedBytes)) {
      if (timestamp !== -1 && (timestamp - nowMs > afterMaxMs || nowMs - timestamp > beforeMaxMs)) {
        const batchIndexErrorMessage = `Timestamp ${timestamp} of message with offset ${batchIndex} is out of range. The timestamp should be within ${allowed}`
        found.push({ batchIndex, batchIndexErrorMessage })
        if (found.length === fixedLimits.recordErrorsPerBatch) break
      }
      batchIndex += 1
    }
  } catch {
    // The records are also malformed, so they cannot be named. The batch keeps its error.
    return []
  }
  return found
}

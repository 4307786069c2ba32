// Whether a produced batch may be appended: structure, checksum, size and timestamps, as Kafka's LogValidator decides them.
import { type BatchHeader, type BatchTrouble, checkBatch, errors, type KafkaErrorName, type Outcome } from '@local-kafka-service/protocol'
import type { Checksum } from '../checksum.ts'

export interface AppendRules {
  /** `max.message.bytes`. */
  readonly maxBytes: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** `message.timestamp.before.max.ms` and `…after.max.ms`; may be beyond 2^53, then as Infinity. */
  readonly beforeMaxMs: number
  readonly afterMaxMs: number
  readonly nowMs: number
  /** Of the Produce request: zstd came with 7. */
  readonly produceVersion: number
}

const timestampTypeBit = 0x08
const transactionalBit = 0x10
const controlBit = 0x20
const codecMask = 0x07
const zstd = 4

/** One produced partition: exactly one batch of format v2, whole, with a right checksum. Changes nothing. */
export function validateBatch(records: Uint8Array | null, rules: AppendRules, crc32c: Checksum): Outcome<BatchHeader> {
  if (records === null || records.length === 0)
    return failed('INVALID_RECORD', 'Record batch is missing: exactly one is expected per partition.')
  if (records.length > rules.maxBytes)
    return failed('MESSAGE_TOO_LARGE', `The record batch has ${records.length} bytes, more than max.message.bytes = ${rules.maxBytes}.`)
  const checked = checkBatch(records, 0, crc32c)
  if (checked.kind === 'error') return failed(codeOf(checked.trouble), checked.message)
  const header = checked.header
  if (header.sizeBytes !== records.length) return failed('INVALID_RECORD', 'Exactly one record batch is expected per partition.')
  const codec = header.attributes & codecMask
  if (codec > zstd) return failed('UNSUPPORTED_COMPRESSION_TYPE', `Unknown compression type ${codec}.`)
  if (codec === zstd && rules.produceVersion < 7) return failed('UNSUPPORTED_COMPRESSION_TYPE', 'zstd needs Produce version 7 or newer.')
  if ((header.attributes & controlBit) !== 0) return failed('INVALID_RECORD', 'Clients are not allowed to write control records.')
  if (header.producerId >= 0 && (header.baseSequence < 0 || header.producerEpoch < 0))
    return failed('INVALID_RECORD', 'A batch of an idempotent producer needs a sequence and an epoch.')
  if ((header.attributes & transactionalBit) !== 0) return failed('INVALID_TXN_STATE', 'Transactions are not supported by this server yet.')
  if (rules.timestampType === 'LogAppendTime') return { kind: 'ok', value: header }
  if ((header.attributes & timestampTypeBit) !== 0)
    return failed('INVALID_TIMESTAMP', 'A producer must not set the timestamp type LogAppendTime.')
  // The base timestamp is the first record's and the header's maximum covers all: enough to refuse without decompressing.
  if (header.maxTimestamp - rules.nowMs > rules.afterMaxMs || rules.nowMs - header.baseTimestamp > rules.beforeMaxMs) {
    return failed(
      'INVALID_TIMESTAMP',
      `Timestamp ${header.maxTimestamp} of the batch is out of range: the server's clock says ${rules.nowMs}, allowed are -${rules.beforeMaxMs} to +${rules.afterMaxMs} ms.`,
    )
  }
  return { kind: 'ok', value: header }
}

function codeOf(trouble: BatchTrouble): KafkaErrorName {
  switch (trouble) {
    case 'truncated':
    case 'crc':
    case 'length':
      return 'CORRUPT_MESSAGE'
    case 'magic':
      return 'UNSUPPORTED_FOR_MESSAGE_FORMAT'
    case 'count':
      return 'INVALID_RECORD'
  }
}

function failed(error: KafkaErrorName, message: string): { readonly kind: 'error'; readonly code: number; readonly message: string } {
  return { kind: 'error', code: errors[error].code, message }
}

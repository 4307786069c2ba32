// Whether a produced batch may be appended: structure, checksum, size and timestamps, as Kafka's LogValidator decides them.
import {
  attributeBits,
  type BatchHeader,
  type BatchProblem,
  BatchWalk,
  batchLayout,
  type CodecName,
  type Codecs,
  checkBatch,
  codecNames,
  errors,
  type KafkaErrorName,
  type Outcome,
  type ProtocolError,
  packedProblem,
  readBatchHeader,
  UnpackedSizeError,
} from '@local-kafka-service/protocol'
import { must } from '../assert.ts'
import type { Checksum } from '../checksum.ts'

export interface AppendRules {
  /** `max.message.bytes`. */
  readonly maxBytes: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** `message.timestamp.before.max.ms` and `…after.max.ms`: any int64, compared and printed exactly. */
  readonly beforeMaxMs: bigint
  readonly afterMaxMs: bigint
  readonly nowMs: number
  /** The version of the Produce request: version 7 added zstd. */
  readonly produceVersion: number
  /** Unpack every compressed batch, as Kafka does; otherwise only those with a suspicious header. */
  readonly opensCompressed: boolean
  /** The request names the transactional id of its batches. */
  readonly inTransaction: boolean
  /** The topic is compacted: each record needs a key, so every compressed batch is unpacked. */
  readonly needsKeys: boolean
  /** `compression.type` and its level. Undefined: batches stay as the producer compressed them. */
  readonly compression: Compression | undefined
}

/** A codec, and how hard it tries: undefined is its default. */
export interface Compression {
  readonly codec: CodecName
  readonly level?: number | undefined
}

/** The functions that read the bytes of a batch. */
export interface BatchReaders {
  readonly crc32c: Checksum
  readonly codecs: Codecs
}

/** A batch that may be appended. */
export interface ValidatedBatch {
  readonly header: BatchHeader
  /** The maximum to write into the header of a CreateTime batch, set if its header has another timestamp type or maximum than its records. */
  readonly maxTimestamp?: number
  /** 0 if the records were not looked at. */
  readonly recordsWithoutKey: number
}

/** A valid header with records that are to be checked: unpack them, then `RecordCheck` decides. */
export interface UncheckedRecords {
  readonly kind: 'unchecked'
  readonly header: BatchHeader
  readonly codec: CodecName
  readonly packed: Uint8Array
}

/**
 * Checks one produced partition: exactly one complete batch of format v2, with a valid checksum. The records of a compressed batch are checked only if the
 * rules say so, or if its header is suspicious. Changes nothing.
 */
export function inspectBatch(records: Uint8Array | null, rules: AppendRules, crc32c: Checksum): Outcome<ValidatedBatch> | UncheckedRecords {
  if (records === null || records.length === 0)
    return failed('INVALID_RECORD', 'Record batch is missing: exactly one is expected per partition.')
  if (records.length > rules.maxBytes)
    return failed('MESSAGE_TOO_LARGE', `The record batch has ${records.length} bytes, more than max.message.bytes = ${rules.maxBytes}.`)
  const checked = checkBatch(records, 0, crc32c)
  if (checked.kind === 'error') return failed(codeOf(checked.problem), checked.message)
  const header = checked.header
  const codec = codecNames[header.attributes & attributeBits.codec]
  if (codec === undefined)
    return failed('UNSUPPORTED_COMPRESSION_TYPE', `Unknown compression type ${header.attributes & attributeBits.codec}.`)
  const failure = headerFailure(header, { sizeBytes: records.length, codec, rules })
  if (failure !== undefined) return failure
  const packed = records.subarray(batchLayout.records)
  const problem = packedProblem(codec, packed)
  if (problem !== undefined) return failed('INVALID_RECORD', problem)
  const opens = rules.opensCompressed || rules.needsKeys || repacks(codec, rules)
  if (codec !== 'none' && !opens && !isSuspicious(header, packed.length))
    return inRange({ header, recordsWithoutKey: 0 }, { earliest: header.baseTimestamp, latest: header.maxTimestamp }, rules)
  return { kind: 'unchecked', header, codec, packed }
}

export function isTransactional({ attributes }: Pick<BatchHeader, 'attributes'>): boolean {
  return (attributes & attributeBits.transactional) !== 0
}

/** Whether the records of a batch must be compressed again. Like Kafka, a batch that has the right codec keeps its level. */
export function repacks(codec: CodecName, { compression }: Pick<AppendRules, 'compression'>): boolean {
  return compression !== undefined && compression.codec !== codec
}

/** The outcome for a batch that was compressed again; undefined if it is not too large. */
export function repackedFailure(batch: Uint8Array, { maxBytes }: Pick<AppendRules, 'maxBytes'>): ReturnType<typeof failed> | undefined {
  if (batch.length <= maxBytes) return undefined
  return failed(
    'MESSAGE_TOO_LARGE',
    `The record batch has ${batch.length} bytes with the topic's compression.type, more than max.message.bytes = ${maxBytes}.`,
  )
}

/** The records of a batch that `inspectBatch` rejected for its timestamps. */
export function recordsOf(batch: Uint8Array): UncheckedRecords {
  const header = readBatchHeader(batch, 0)
  const codec = must(codecNames[header.attributes & attributeBits.codec], 'the codec of an inspected batch')
  return { kind: 'unchecked', header, codec, packed: batch.subarray(batchLayout.records) }
}

/** Whether the unpacked records are those that the header declares, in steps, because a batch may have millions of records. */
export class RecordCheck {
  readonly #header: BatchHeader
  readonly #rules: AppendRules
  readonly #walk: BatchWalk

  constructor({ header }: Pick<UncheckedRecords, 'header'>, unpacked: Uint8Array, rules: AppendRules) {
    this.#header = header
    this.#rules = rules
    this.#walk = new BatchWalk(unpacked, 0, header)
  }

  /** Checks at most `count` further records. Undefined: there are more. */
  step(count: number): Outcome<ValidatedBatch> | undefined {
    const walked = this.#walk.step(count)
    if (walked === undefined) return undefined
    if (walked.kind === 'error') return failed(walked.problem === 'timestamp' ? 'INVALID_TIMESTAMP' : 'INVALID_RECORD', walked.message)
    const header = this.#header
    const rules = this.#rules
    const differs = walked.latest !== header.maxTimestamp || (header.attributes & attributeBits.logAppendTime) !== 0
    const fix = rules.timestampType === 'CreateTime' && differs ? { maxTimestamp: walked.latest } : {}
    return inRange({ header, recordsWithoutKey: walked.recordsWithoutKey, ...fix }, walked, rules)
  }
}

/** The outcome for records that cannot be unpacked. A producer that receives MESSAGE_TOO_LARGE sends fewer records at once. */
export function unpackFailure(error: ProtocolError): ReturnType<typeof failed> {
  if (error instanceof UnpackedSizeError) return failed('MESSAGE_TOO_LARGE', `The record batch is too large: ${error.message}.`)
  return failed('INVALID_RECORD', `The record batch cannot be read: ${error.message}.`)
}

/** A record without a key, a value or headers. */
const smallestRecordBytes = 7
/** Records that compress better than this are rare, and so are wrong clients: unpacking both costs little. */
const usualRatio = 20

function headerFailure(
  header: BatchHeader,
  { sizeBytes, codec, rules }: { readonly sizeBytes: number; readonly codec: CodecName; readonly rules: AppendRules },
): ReturnType<typeof failed> | undefined {
  const { attributes, baseOffset } = header
  if (header.sizeBytes !== sizeBytes) return failed('INVALID_RECORD', 'Exactly one record batch is expected per partition.')
  if (baseOffset !== 0) return failed('INVALID_RECORD', `The base offset of a produced record batch must be 0, and it is ${baseOffset}.`)
  if (codec === 'zstd' && rules.produceVersion < 7) return failed('UNSUPPORTED_COMPRESSION_TYPE', 'zstd needs Produce version 7 or newer.')
  if ((attributes & attributeBits.control) !== 0) return failed('INVALID_RECORD', 'Clients are not allowed to write control records.')
  if (header.producerId >= 0 && (header.baseSequence < 0 || header.producerEpoch < 0))
    return failed('INVALID_RECORD', 'A batch of an idempotent producer needs a sequence and an epoch.')
  if (isTransactional(header) && !rules.inTransaction) return failed('INVALID_TXN_STATE', 'The batch is not part of a transaction.')
  if (isTransactional(header) && header.producerId < 0) return failed('INVALID_RECORD', 'A batch of a transaction needs a producer id.')
  // Like Kafka, a topic with LogAppendTime rejects a batch that already has this type; a topic with CreateTime uses the timestamps of its records.
  if ((attributes & attributeBits.logAppendTime) !== 0 && rules.timestampType === 'LogAppendTime')
    return failed('INVALID_TIMESTAMP', 'A producer must not set the timestamp type LogAppendTime.')
  return undefined
}

/** Whether the header of a compressed batch contradicts its records, or declares more records than usual for so few bytes. */
function isSuspicious({ attributes, baseTimestamp, maxTimestamp, recordCount }: BatchHeader, packedBytes: number): boolean {
  return (
    maxTimestamp < baseTimestamp ||
    maxTimestamp >= Number.MAX_SAFE_INTEGER ||
    baseTimestamp <= -Number.MAX_SAFE_INTEGER ||
    (attributes & attributeBits.logAppendTime) !== 0 ||
    recordCount * smallestRecordBytes > packedBytes * usualRatio
  )
}

/** Records without a timestamp (-1) are valid, as in Kafka. */
function inRange(
  batch: ValidatedBatch,
  { earliest, latest }: { readonly earliest: number; readonly latest: number },
  { timestampType, nowMs, beforeMaxMs, afterMaxMs }: AppendRules,
): Outcome<ValidatedBatch> {
  const tooLate = latest !== noTimestamp && latest - nowMs > afterMaxMs
  const tooEarly = earliest !== noTimestamp && nowMs - earliest > beforeMaxMs
  if (timestampType === 'LogAppendTime' || !(tooLate || tooEarly)) return { kind: 'ok', value: batch }
  return failed(
    'INVALID_TIMESTAMP',
    `Timestamp ${tooLate ? latest : earliest} of the batch is out of range: the server's clock says ${nowMs}, allowed are -${beforeMaxMs} to +${afterMaxMs} ms.`,
  )
}

const noTimestamp = -1

function codeOf(problem: BatchProblem): KafkaErrorName {
  switch (problem) {
    case 'crc':
    case 'length':
      return 'CORRUPT_MESSAGE'
    // Kafka answers a message set of format v0 or v1 like this since Produce 3.
    case 'magic':
    case 'count':
    // Like Kafka: sending an incomplete batch again does not complete it.
    case 'truncated':
      return 'INVALID_RECORD'
  }
}

function failed(error: KafkaErrorName, message: string): { readonly kind: 'error'; readonly code: number; readonly message: string } {
  return { kind: 'error', code: errors[error].code, message }
}

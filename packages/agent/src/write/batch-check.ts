// Checks one produced batch, and compresses its records as the topic says: a small one at once, the records of a large one outside the event loop or in slices.
import { errors, type Outcome, ProtocolError, withPackedRecords } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Checksum } from '../core/checksum.ts'
import { type RecordError, timestampErrors, withoutKey } from '../core/log/record-errors.ts'
import {
  type AppendRules,
  inspectBatch,
  RecordCheck,
  recordsOf,
  repackedFailure,
  repacks,
  type UncheckedRecords,
  unpackFailure,
  type ValidatedBatch,
} from '../core/log/validate.ts'
import { fixedLimits } from '../limits.ts'
import type { Packer } from '../memory/packer.ts'
import type { Unpacker } from '../memory/unpacker.ts'
import { finished, type Turns } from '../time/turns.ts'

export interface BatchCheckParts {
  readonly unpacker: Pick<Unpacker, 'inTurn' | 'use'>
  readonly packer: Pick<Packer, 'inTurn' | 'packed'>
  readonly turns: Turns
  readonly crc32c: Checksum
}

/** The outcome for one batch. */
export type BatchCheck =
  /** `repacked`: the batch with its records compressed as the topic says. Undefined: it is appended as it is. */
  | { readonly kind: 'ok'; readonly value: ValidatedBatch; readonly units: number; readonly repacked?: Uint8Array }
  /** Valid, but for a compacted topic. `indexes`: the first of these records in the batch. */
  | { readonly kind: 'without keys'; readonly indexes: readonly number[]; readonly count: number; readonly units: number }
  | (BatchFailure & { readonly recordErrors: readonly RecordError[]; readonly units: number })

/** A batch whose records are too large for one turn: `finishCheck` checks them. */
export interface LargeBatch {
  readonly kind: 'large'
  readonly batch: Uint8Array
  readonly records: UncheckedRecords
  readonly failure: BatchFailure | undefined
  readonly rules: AppendRules
}

type BatchFailure = Exclude<Outcome<never>, { kind: 'ok' }>

/** `units` is the work that was done, as in time/turns.ts. */
export function checkBatch(batch: Uint8Array | null, rules: AppendRules, parts: BatchCheckParts): BatchCheck | LargeBatch {
  const inspected = inspectBatch(batch, rules, parts.crc32c)
  if (inspected.kind === 'ok') return { ...inspected, units: 1 }
  if (batch === null) return rejected(must(inspected.kind === 'error' ? inspected : undefined, 'the error of a batch that is missing'))
  if (inspected.kind === 'unchecked') return checkInTurn({ kind: 'large', batch, records: inspected, failure: undefined, rules }, parts)
  if (!isOfTimestamps(inspected)) return rejected(inspected)
  // Only the records tell which of them have the wrong timestamps.
  return checkInTurn({ kind: 'large', batch, records: recordsOf(batch), failure: inspected, rules }, parts)
}

/** Unpacks, walks and compresses the records. Rejects with NoUnpackMemory, and with a CodecThreadError. */
export async function finishCheck(large: LargeBatch, signal: AbortSignal, parts: BatchCheckParts): Promise<BatchCheck> {
  const { unpacker, turns } = parts
  try {
    const checkedIn = async (unpacked: Uint8Array): Promise<BatchCheck> =>
      await repackLater(await finished(examine(large, unpacked), turns), large, unpacked, parts)
    return await unpacker.use(large.records, signal, checkedIn)
  } catch (error) {
    return failureOf(error, large.failure)
  }
}

function checkInTurn(large: LargeBatch, parts: BatchCheckParts): BatchCheck | LargeBatch {
  const { records, failure } = large
  try {
    const unpacked = parts.unpacker.inTurn(records)
    if (unpacked === undefined) return large
    const check = examine(large, unpacked)
    for (;;) {
      const step = check.next()
      if (step.done !== true) continue
      const checked = { ...step.value, units: 1 + unpacked.length / fixedLimits.openedBytesPerUnit }
      return repackInTurn(checked, large, unpacked, parts)
    }
  } catch (error) {
    return failureOf(error, failure)
  }
}

function repackInTurn(checked: BatchCheck, large: LargeBatch, unpacked: Uint8Array, parts: BatchCheckParts): BatchCheck | LargeBatch {
  const { compression } = large.rules
  if (checked.kind !== 'ok' || compression === undefined || !repacks(large.records.codec, large.rules)) return checked
  const packed = parts.packer.inTurn(compression, unpacked)
  return packed === undefined ? large : repacked(checked, large, { codec: compression.codec, packed }, parts)
}

async function repackLater(checked: BatchCheck, large: LargeBatch, unpacked: Uint8Array, parts: BatchCheckParts): Promise<BatchCheck> {
  const { compression } = large.rules
  if (checked.kind !== 'ok' || compression === undefined || !repacks(large.records.codec, large.rules)) return checked
  const packed = await parts.packer.packed(compression, unpacked)
  return repacked(checked, large, { codec: compression.codec, packed }, parts)
}

function repacked(
  checked: Extract<BatchCheck, { kind: 'ok' }>,
  { batch, rules }: LargeBatch,
  records: Parameters<typeof withPackedRecords>[1],
  { crc32c }: BatchCheckParts,
): BatchCheck {
  const whole = withPackedRecords(batch, records, crc32c)
  const failure = repackedFailure(whole, rules)
  return failure === undefined ? { ...checked, repacked: whole } : rejected(failure)
}

/** Yields the work since the last step. */
function* examine({ records, failure: known, rules }: LargeBatch, unpacked: Uint8Array): Generator<number, BatchCheck> {
  let failure = known
  if (failure === undefined) {
    const check = new RecordCheck(records, unpacked, rules)
    let outcome = check.step(recordsPerStep)
    for (; outcome === undefined; outcome = check.step(recordsPerStep)) yield recordsPerStep / walkedRecordsPerUnit
    if (outcome.kind === 'ok') return yield* withKeys(outcome.value, { records, unpacked, rules })
    failure = outcome
  }
  return { ...failure, recordErrors: isOfTimestamps(failure) ? yield* recordErrors(records, unpacked, rules) : [], units: 0 }
}

function* withKeys(
  value: ValidatedBatch,
  {
    records: { header },
    unpacked,
    rules,
  }: { readonly records: UncheckedRecords; readonly unpacked: Uint8Array; readonly rules: AppendRules },
): Generator<number, BatchCheck> {
  const count = value.recordsWithoutKey
  if (!rules.needsKeys || count === 0) return { kind: 'ok', value, units: 0 }
  const indexes: number[] = []
  for (const index of withoutKey(header, unpacked)) {
    if (index !== undefined) indexes.push(index)
    if (indexes.length === fixedLimits.recordErrorsPerBatch) break
    yield 1 / 4
  }
  return { kind: 'without keys', indexes, count, units: 0 }
}

function* recordErrors({ header }: UncheckedRecords, unpacked: Uint8Array, rules: AppendRules): Generator<number, readonly RecordError[]> {
  const found: RecordError[] = []
  try {
    for (const error of timestampErrors(header, unpacked, rules)) {
      if (error !== undefined) found.push(error)
      if (found.length === fixedLimits.recordErrorsPerBatch) break
      yield 1 / 4
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    // The records are also malformed, so they cannot be named. The batch keeps its error.
    return []
  }
  return found
}

/** A walk costs about 20 ns for a record. */
const recordsPerStep = 10_000
const walkedRecordsPerUnit = 200

function isOfTimestamps({ code }: BatchFailure): boolean {
  return code === errors.INVALID_TIMESTAMP.code
}

function rejected(failure: BatchFailure): BatchCheck {
  return { ...failure, recordErrors: [], units: 1 }
}

function failureOf(error: unknown, known: BatchFailure | undefined): BatchCheck {
  if (!(error instanceof ProtocolError)) throw error
  return rejected(known ?? unpackFailure(error))
}

// Record batches as the clients of a world send and read them: every value names its producer and its number.

import { nodeCodecs } from '@local-kafka-service/agent/simulation'
import { attributeBits, batchSizeAt, buildBatch, checkStoredBatch, crc32c, readRecords } from '@local-kafka-service/protocol'

/** `<producer>#<number>`: only a retry sends a number twice. */
export type Value = string

export interface ReadRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly value: Value
}

export interface ReadBatch {
  readonly baseOffset: number
  /** Above the offset of its last record if log compaction has removed that one. */
  readonly lastOffset: number
  readonly producerId: number
  readonly isTransactional: boolean
  /** It is the marker of a transaction; its record has the value that `markerValue` makes. */
  readonly marks: 'commit' | 'abort' | undefined
  readonly records: readonly ReadRecord[]
}

/** What stands for a marker where values of records are compared. */
export function markerValue(outcome: 'commit' | 'abort', producerId: number, producerEpoch: number): Value {
  return `${outcome} of producer ${producerId} in epoch ${producerEpoch}`
}

export function valueOf(producer: string, number: number): Value {
  return `${producer}#${number}`
}

export function partsOf(value: Value): { readonly producer: string; readonly number: number } {
  const at = value.lastIndexOf('#')
  return { producer: value.slice(0, at), number: Number(value.slice(at + 1)) }
}

/** Few keys, so that log compaction removes most records of a topic that it compacts. */
export function keyOf(value: Value): string {
  return `k${partsOf(value).number % 5}`
}

/** Some records are tombstones; a header has what their value would be. */
export function isTombstone(value: Value): boolean {
  return partsOf(value).number % 7 === 0
}

export function encodeBatch(
  values: readonly Value[],
  {
    timestampMs,
    producer,
    transactional = false,
  }: { readonly timestampMs: number; readonly producer?: ProducerStamp; readonly transactional?: boolean },
): Uint8Array {
  const records = values.map((value, offsetDelta) => ({
    offsetDelta,
    timestamp: timestampMs,
    key: Buffer.from(keyOf(value)),
    value: isTombstone(value) ? null : Buffer.from(value),
    headers: isTombstone(value) ? [{ key: 'value', value: Buffer.from(value) }] : [],
  }))
  const attributes = transactional ? attributeBits.transactional : 0
  return buildBatch({ baseTimestamp: timestampMs, records, attributes, ...(producer && { producer }) }, crc32c)
}

export interface ProducerStamp {
  readonly id: number
  readonly epoch: number
  readonly baseSequence: number
}

/** Every batch in `bytes`, checked as a client checks it. Throws for a damaged batch; leaves out a truncated last batch, like Kafka's clients. */
export function decodeBatches(bytes: Uint8Array): readonly ReadBatch[] {
  const batches: ReadBatch[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = batchSizeAt(bytes, at)
    if (size === undefined || at + size > bytes.length) break
    const checked = checkStoredBatch(bytes, at, crc32c)
    if (checked.kind === 'error') throw new Error(`a batch at byte ${at}: ${checked.message}`)
    const { baseOffset, lastOffsetDelta, attributes, producerId, producerEpoch } = checked.header
    const isControl = (attributes & attributeBits.control) !== 0
    let marks: ReadBatch['marks']
    const records: ReadRecord[] = []
    for (const { offsetDelta, timestamp, key, value, headers } of readRecords(bytes, at, nodeCodecs, 1024 * 1024)) {
      // The second half of the key is the kind of the marker: 0 aborts, 1 commits.
      if (isControl) marks = Buffer.from(key ?? []).readInt16BE(2) === 1 ? 'commit' : 'abort'
      records.push({
        offset: baseOffset + offsetDelta,
        timestampMs: timestamp,
        // A tombstone has its value in a header.
        value: marks ? markerValue(marks, producerId, producerEpoch) : Buffer.from(value ?? headers[0]?.value ?? []).toString(),
      })
    }
    const isTransactional = (attributes & attributeBits.transactional) !== 0
    batches.push({ baseOffset, lastOffset: baseOffset + lastOffsetDelta, producerId, isTransactional, marks, records })
    at += size
  }
  return batches
}

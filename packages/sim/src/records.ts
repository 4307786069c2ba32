// Record batches as the clients of a world send and read them: every value names its producer and its number.

import { nodeCodecs } from '@local-kafka-service/agent/simulation'
import { batchSizeAt, buildBatch, checkStoredBatch, crc32c, readRecords } from '@local-kafka-service/protocol'

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
  readonly records: readonly ReadRecord[]
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
  { timestampMs, producer }: { readonly timestampMs: number; readonly producer?: ProducerStamp },
): Uint8Array {
  const records = values.map((value, offsetDelta) => ({
    offsetDelta,
    timestamp: timestampMs,
    key: Buffer.from(keyOf(value)),
    value: isTombstone(value) ? null : Buffer.from(value),
    headers: isTombstone(value) ? [{ key: 'value', value: Buffer.from(value) }] : [],
  }))
  return buildBatch({ baseTimestamp: timestampMs, records, ...(producer && { producer }) }, crc32c)
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
    const { baseOffset, lastOffsetDelta } = checked.header
    const records = [...readRecords(bytes, at, nodeCodecs, 1024 * 1024)].map(({ offsetDelta, timestamp, value, headers }) => ({
      offset: baseOffset + offsetDelta,
      timestampMs: timestamp,
      // A tombstone has its value in a header.
      value: Buffer.from(value ?? headers[0]?.value ?? []).toString(),
    }))
    batches.push({ baseOffset, lastOffset: baseOffset + lastOffsetDelta, records })
    at += size
  }
  return batches
}

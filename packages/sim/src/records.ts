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
  readonly records: readonly ReadRecord[]
}

export function valueOf(producer: string, number: number): Value {
  return `${producer}#${number}`
}

export function partsOf(value: Value): { readonly producer: string; readonly number: number } {
  const at = value.lastIndexOf('#')
  return { producer: value.slice(0, at), number: Number(value.slice(at + 1)) }
}

export function encodeBatch(
  values: readonly Value[],
  { timestampMs, producer }: { readonly timestampMs: number; readonly producer?: ProducerStamp },
): Uint8Array {
  const records = values.map((value, offsetDelta) => ({
    offsetDelta,
    timestamp: timestampMs,
    key: null,
    value: Buffer.from(value),
    headers: [],
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
    const { baseOffset } = checked.header
    const records = [...readRecords(bytes, at, nodeCodecs, 1024 * 1024)].map(({ offsetDelta, timestamp, value }) => ({
      offset: baseOffset + offsetDelta,
      timestampMs: timestamp,
      value: Buffer.from(value ?? []).toString(),
    }))
    batches.push({ baseOffset, records })
    at += size
  }
  return batches
}

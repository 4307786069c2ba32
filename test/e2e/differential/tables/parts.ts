// What the tables share: ids and bytes that no server has made, topics as each version names them, and batches of records.
import { batchLayout, buildBatch, crc32c, type DecodedRecord, type NewBatch, zeroUuid } from '@local-kafka-service/protocol'
import type { Conversation, TopicOptions } from '../conversation.ts'

/** No topic has it. */
export const unknownId = 'bm9ib2R5LWhhcy10aGlzLQ'

/** The time of the first record of every batch: long ago, and the same on both servers. */
export const firstTimestamp = 1_700_000_000_000

/** A topic whose records stay: theirs are old times, and Kafka would delete them within its first minute. */
export async function logTopic(with_: Conversation, topic: TopicOptions = {}): Promise<string> {
  return await with_.topic('a', { ...topic, configs: { 'retention.ms': '-1', ...topic.configs } })
}

/** A topic as the version names it: by name, and from `since` on by id. An unknown name becomes the unknown id. */
export function named<N extends string>(
  field: N,
  since: number,
  { with_, name, version = with_.version }: NamedPart,
): { readonly [F in N | 'topicId']: string } {
  const byId = version >= since
  // The cast: TypeScript does not keep the name of a computed key.
  return { [field]: byId ? '' : name, topicId: byId ? idOrUnknown(with_, name) : zeroUuid } as { readonly [F in N | 'topicId']: string }
}

interface NamedPart {
  readonly with_: Conversation
  readonly name: string
  readonly version?: number
}

function idOrUnknown(with_: Conversation, name: string): string {
  for (const [id, of] of with_.topicIds) if (of === name) return id
  return unknownId
}

/** Records `v0`, `v1` …, a second apart. */
export function records(count: number, more: Partial<DecodedRecord> = {}): readonly DecodedRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    offsetDelta: index,
    timestamp: firstTimestamp + index * 1_000,
    key: null,
    value: utf8(`v${index}`),
    headers: [],
    ...more,
  }))
}

export function batch(of: readonly DecodedRecord[] | number = 1, more: Partial<NewBatch> = {}): Uint8Array {
  const list = typeof of === 'number' ? records(of) : of
  return buildBatch({ baseTimestamp: list[0]?.timestamp ?? firstTimestamp, records: list, ...more }, crc32c)
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Every byte the same, changed at one place. */
export function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = Uint8Array.from(bytes)
  changed[at] = value
  return changed
}

/** With its checksum made right again. */
export function sealed(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes)
  new DataView(changed.buffer).setUint32(batchLayout.crc, crc32c(changed.subarray(batchLayout.attributes)))
  return changed
}

// The records in the answer to a Fetch, without markers, without those of aborted transactions, and without duplicates.
import { nativeCrc32c, nodeCodecs } from '@local-kafka-service/agent/codecs'
import {
  attributeBits,
  type BatchHeader,
  batchSizeAt,
  codecNames,
  type DecodedRecord,
  type DecodedResponseOf,
  type Fetch,
  ProtocolError,
  readBatchHeader,
  readRawRecords,
} from '@local-kafka-service/protocol'
import type { ConsumedRecord } from './consumed-record.ts'

export type FetchedPartition = Pick<
  DecodedResponseOf<typeof Fetch>['responses'][number]['partitions'][number],
  'records' | 'abortedTransactions'
>

export interface FetchedRecords {
  readonly records: readonly ConsumedRecord[]
  /** The offset to fetch next: after everything that came, markers included. Unchanged when nothing came. */
  readonly next: bigint
  /** The batch at `next`, if it cannot be read; the batches after it are not read. */
  readonly unreadable: UnreadableBatch | undefined
}

export interface UnreadableBatch {
  /** The offset of its first record, from its header. */
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  /** `gzip`, or `none` for an uncompressed batch. */
  readonly codec: string
  readonly why: string
}

/** Reads the answer for one partition, fetched from `from` on, and filters it as Kafka's consumer does. With READ_UNCOMMITTED it names no aborted transactions. */
export function fetchedRecords(
  { records: bytes, abortedTransactions }: FetchedPartition,
  { topic, partition, from }: { readonly topic: string; readonly partition: number; readonly from: bigint },
): FetchedRecords {
  const records: ConsumedRecord[] = []
  const aborted = [...(abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
  const aborting = new Set<number>()
  let next = from
  for (const { header, at, damage } of batchesIn(bytes ?? nothing)) {
    const last = header.baseOffset + header.lastOffsetDelta
    if (damage === undefined && last < next) continue
    const unreadable = (why: string): FetchedRecords => ({ records, next, unreadable: { ...placeOf(header), why } })
    if (damage !== undefined) return unreadable(damage)
    for (; aborted[0] !== undefined && aborted[0].firstOffset <= last; aborted.shift()) aborting.add(aborted[0].producerId)
    const isControl = (header.attributes & attributeBits.control) !== 0
    const isAborted = (header.attributes & attributeBits.transactional) !== 0 && aborting.has(header.producerId)
    if (isControl || !isAborted) {
      let decoded: readonly DecodedRecord<Uint8Array>[]
      try {
        decoded = [...readRawRecords(bytes ?? nothing, at, nodeCodecs, mostUnpackedBytes)]
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        return unreadable(error.message)
      }
      if (!isControl) for (const record of decoded) addTo(records, record, { topic, partition, header, from })
      else if (isAbort(decoded)) aborting.delete(header.producerId)
    }
    // A batch arrives whole: it may begin before the requested offset.
    next = BigInt(last) + 1n
  }
  return { records, next, unreadable: undefined }
}

interface FetchedBatch {
  readonly header: BatchHeader
  readonly at: number
  /** What is wrong with the batch as a whole. */
  readonly damage: string | undefined
}

/** A broker truncates its answer at its limit: only the first batch is always whole. */
function* batchesIn(bytes: Uint8Array): Generator<FetchedBatch> {
  for (let at = 0; at < bytes.length; ) {
    const magic = bytes[at + magicAt]
    if (magic === undefined) return
    const sizeBytes = batchSizeAt(bytes, at)
    if (magic !== 2 || sizeBytes === undefined) {
      yield {
        header: olderHeader(bytes, at),
        at,
        damage: magic === 2 ? 'its length is invalid' : `it has format ${magic} of Kafka 0.10 and older`,
      }
      return
    }
    if (at + sizeBytes > bytes.length) return
    const crc = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + crcAt)
    const isSound = nativeCrc32c(bytes.subarray(at + attributesAt, at + sizeBytes)) === crc
    yield { header: readBatchHeader(bytes, at), at, damage: isSound ? undefined : 'its checksum is wrong' }
    at += sizeBytes
  }
}

/** A message set before format 2 has its offset in the same place. */
function olderHeader(bytes: Uint8Array, at: number): BatchHeader {
  const baseOffset = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(at))
  const unknown = { leaderEpoch: -1, lastOffsetDelta: 0, baseTimestamp: -1, maxTimestamp: -1, producerId: -1, producerEpoch: -1 }
  return { ...unknown, baseOffset, sizeBytes: 0, attributes: 0, baseSequence: -1, recordCount: 0 }
}

function addTo(
  records: ConsumedRecord[],
  { offsetDelta, timestamp, key, value, headers }: DecodedRecord<Uint8Array>,
  {
    topic,
    partition,
    header,
    from,
  }: { readonly topic: string; readonly partition: number; readonly header: BatchHeader; readonly from: bigint },
): void {
  const offset = BigInt(header.baseOffset) + BigInt(offsetDelta)
  if (offset < from) return
  records.push({
    topic,
    partition,
    offset,
    timestamp: BigInt(timestamp),
    key: asBuffer(key),
    value: asBuffer(value),
    headers: headers.map((one) => ({ key: viewOf(one.key), value: asBuffer(one.value) })),
  })
}

function placeOf({ baseOffset, lastOffsetDelta, attributes }: BatchHeader): Omit<UnreadableBatch, 'why'> {
  const codec = attributes & attributeBits.codec
  return {
    firstOffset: BigInt(baseOffset),
    lastOffset: BigInt(baseOffset) + BigInt(lastOffsetDelta),
    codec: codecNames[codec] ?? `codec ${codec}`,
  }
}

/** The key of a marker has its version and its type, two bytes each. */
function isAbort([marker]: readonly DecodedRecord<Uint8Array>[]): boolean {
  const key = asBuffer(marker?.key ?? null)
  return key !== null && key.length >= 4 && key.readInt16BE(2) === abortMarker
}

function asBuffer(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : viewOf(bytes)
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A few bytes may decompress to gigabytes; one request of `lks produce` is smaller than 100 MiB. */
const mostUnpackedBytes = 256 * 1024 * 1024
const magicAt = 16
const crcAt = 17
const attributesAt = 21
const abortMarker = 0
const nothing = new Uint8Array(0)

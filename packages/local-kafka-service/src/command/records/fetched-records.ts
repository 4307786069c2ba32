// The records in what a broker answered to a Fetch: without markers, without those of aborted transactions, and none twice.
import type { fetchV17 } from '@platformatic/kafka'
import type { KafkaRecord } from './kafka-record.ts'

type FetchedPartition = Pick<fetchV17.FetchResponsePartition, 'records' | 'abortedTransactions'>
type RecordBatch = NonNullable<FetchedPartition['records']>[number]

export interface FetchedRecords {
  readonly records: readonly KafkaRecord[]
  /** The offset to fetch next: behind everything that came, also behind markers. The same as before when nothing came. */
  readonly next: bigint
}

/**
 * The answer for one partition, fetched from `from` on with READ_COMMITTED. The client library filters too, but forgets earlier aborted
 * transactions of a producer, and those whose marker is not in the same answer; so this is done as Kafka's own consumer does it.
 */
export function fetchedRecords(
  { records: batches, abortedTransactions }: FetchedPartition,
  { topic, partition, from }: { readonly topic: string; readonly partition: number; readonly from: bigint },
): FetchedRecords {
  const records: KafkaRecord[] = []
  const aborted = [...(abortedTransactions ?? [])].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  const aborting = new Set<bigint>()
  let next = from
  for (const batch of batches ?? []) {
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta)
    for (; aborted[0] !== undefined && aborted[0].firstOffset <= last; aborted.shift()) aborting.add(aborted[0].producerId)
    // A batch is sent whole: it may begin before the offset that was asked for.
    if (last >= next) next = last + 1n
    if ((batch.attributes & control) !== 0) {
      if (isAbort(batch)) aborting.delete(batch.producerId)
      continue
    }
    if ((batch.attributes & transactional) !== 0 && aborting.has(batch.producerId)) continue
    for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
      const offset = batch.firstOffset + BigInt(offsetDelta)
      if (offset < from) continue
      records.push({
        topic,
        partition,
        offset,
        timestamp: (batch.attributes & logAppendTime) === 0 ? batch.firstTimestamp + timestampDelta : batch.maxTimestamp,
        key,
        value,
        headers: headers.map(([name, content]) => ({ key: name ?? nothing, value: content })),
      })
    }
  }
  return { records, next }
}

/** Bits of a batch's attributes. */
const logAppendTime = 1 << 3
const transactional = 1 << 4
const control = 1 << 5
const abortMarker = 0
const nothing = Buffer.alloc(0)

/** The key of a marker is its version and its type, two bytes each. */
function isAbort({ records }: RecordBatch): boolean {
  const key = records[0]?.key
  return key !== null && key !== undefined && key.length >= 4 && key.readInt16BE(2) === abortMarker
}

// Looks up offsets of partitions, and resolves a range of the command line to where each partition begins and stops.
import { type Consumer, ListOffsetTimestamps } from '@platformatic/kafka'
import { type IsolationLevel, isolationLevels } from './isolation.ts'
import { type OffsetRange, offsetAt, type Position } from './offset-range.ts'
import type { PartitionProgress } from './partition-progress.ts'

/** By partition. `end` is the last stable offset, after which no committed record can be read yet, or the high watermark for read_uncommitted. Absent for a time without a record at or after it. */
export async function offsetsOf(
  client: Pick<Consumer, 'listOffsets'>,
  {
    topic,
    partitions,
    at,
    isolation = 'read_committed',
  }: {
    readonly topic: string
    readonly partitions: readonly number[]
    readonly at: 'start' | 'end' | { readonly ms: number }
    readonly isolation?: IsolationLevel
  },
): Promise<ReadonlyMap<number, bigint>> {
  const timestamp = at === 'start' ? ListOffsetTimestamps.EARLIEST : at === 'end' ? ListOffsetTimestamps.LATEST : BigInt(at.ms)
  const found = await client.listOffsets({
    topics: [topic],
    partitions: { [topic]: [...partitions] },
    timestamp,
    isolationLevel: isolationLevels[isolation],
  })
  const offsets = found.get(topic) ?? []
  return new Map(
    partitions.flatMap((partition) => {
      const offset = offsets[partition]
      return offset === undefined || offset < 0n ? [] : [[partition, offset] as const]
    }),
  )
}

/** Where the range begins and stops in each partition, at the current offsets. */
export async function readingsOf(
  client: Pick<Consumer, 'listOffsets'>,
  {
    topic,
    partitions,
    range,
    isolation = 'read_committed',
  }: { readonly topic: string; readonly partitions: readonly number[]; readonly range: OffsetRange; readonly isolation?: IsolationLevel },
): Promise<PartitionProgress[]> {
  const ask = (at: Parameters<typeof offsetsOf>[1]['at']): Promise<ReadonlyMap<number, bigint>> =>
    offsetsOf(client, { topic, partitions, at, isolation })
  const [starts, ends] = await Promise.all([ask('start'), ask('end')])
  const byTimeOf = async (position: Position | undefined): Promise<ReadonlyMap<number, bigint> | undefined> =>
    position?.kind === 'time' ? await ask({ ms: position.ms }) : undefined
  const [fromTimes, untilTimes] = await Promise.all([byTimeOf(range.from), byTimeOf(range.until)])
  return partitions.map((partition) => {
    const start = starts.get(partition) ?? 0n
    const end = ends.get(partition) ?? start
    const from = offsetAt(range.from, { start, end, byTime: fromTimes?.get(partition) })
    const until = range.until === undefined ? undefined : offsetAt(range.until, { start, end, byTime: untilTimes?.get(partition) })
    return {
      topic,
      partition,
      position: from < start ? start : from > end ? end : from,
      notBefore: from,
      until: until === undefined ? undefined : until > end ? end : until,
    }
  })
}

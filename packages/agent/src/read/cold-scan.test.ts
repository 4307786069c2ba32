// How many requests to the store a scan of merged objects needs, with the limits of a cache of 512 MiB.
import { buildBatch } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { nativeCrc32c } from '../codecs.ts'
import type { Incarnation, TopicId } from '../core/ids.ts'
import { memoryPlan } from '../memory/memory-plan.ts'
import type { PartitionState, Segment } from '../metadata/metadata-store.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'
import type { ByteRange } from '../objects/object-store.ts'
import { CachedObjects } from '../objects/wrappers/cached.ts'
import { systemClock } from '../time/system-clock.ts'
import { Turns } from '../time/turns.ts'
import { Tails } from '../view/tails.ts'
import { DamageReports } from './damage.ts'
import { Reader } from './reader.ts'
import { SegmentReader } from './segment-reader.ts'

const mib = 1024 * 1024
const topicId = 'topic' as TopicId
const objects = 4
const me: Incarnation = { id: 1, nonce: 'nonce' }

/** A quarter of a segment. */
const batch = buildBatch(
  { baseTimestamp: 1, leaderEpoch: 0, records: [{ offsetDelta: 0, timestamp: 1, key: null, value: Buffer.alloc(mib - 72), headers: [] }] },
  nativeCrc32c,
)
const batchesPerSegment = 4

/** Objects that consist of the same batch, again and again. */
class RepeatedBatch extends MemoryObjects {
  readonly asked: string[] = []
  readonly #objectBytes: number

  constructor(objectBytes: number) {
    super()
    this.#objectBytes = objectBytes
  }

  override async read(key: string, range: ByteRange): Promise<Uint8Array> {
    const length = Math.min(range.length, this.#objectBytes - range.start)
    this.asked.push(`${key}: ${range.start}+${length}`)
    const bytes = range.into?.subarray(0, length) ?? new Uint8Array(length)
    for (let at = 0; at < length; ) {
      const part = batch.subarray((range.start + at) % batch.length)
      bytes.set(part.subarray(0, length - at), at)
      at += part.length
    }
    return bytes
  }
}

/** As merges leave them: in each object, so many full segments of each partition, sorted by partition. */
function layOut(partitions: number): MergedTopic {
  const segmentBytes = batchesPerSegment * batch.length
  const perObject = Math.floor((96 * mib) / segmentBytes / partitions)
  const objectBytes = partitions * perObject * segmentBytes
  const segmentsOf = (partition: number): readonly Segment[] =>
    Array.from({ length: objects * perObject }, (_, index) => ({
      objectKey: `object ${Math.floor(index / perObject)}`,
      byteStart: (partition * perObject + (index % perObject)) * segmentBytes,
      sizeBytes: segmentBytes,
      baseOffset: index * batchesPerSegment,
      lastOffset: (index + 1) * batchesPerSegment - 1,
      maxTimestamp: 1,
    })) as unknown as readonly Segment[]
  return { perObject, objectBytes, segmentsOf }
}

interface MergedTopic {
  readonly objectBytes: number
  /** Segments of a partition in each object. */
  readonly perObject: number
  readonly segmentsOf: (partition: number) => readonly Segment[]
}

interface Scan {
  readonly partitions: number
  readonly cacheBytes: number
  /** The partitions of each request of a client, in turn. */
  readonly asks: readonly (readonly number[])[]
}

async function requestsOf({ partitions, cacheBytes, asks }: Scan): Promise<{ readonly gets: number; readonly objectBytes: number }> {
  const { limits } = memoryPlan({ memoryBytes: undefined, cacheBytes, machineBytes: undefined })
  const { perObject, objectBytes, segmentsOf } = layOut(partitions)
  const store = new RepeatedBatch(objectBytes)
  const end = objects * perObject * batchesPerSegment
  const watermarks = { logStartOffset: 0, highWatermark: end, lastStableOffset: end }
  const state = (partition: number): PartitionState => {
    return { topicId, partition, logId: 1, lastAbortOffset: -1, maxTimestamp: 1, owner: me.id, epoch: 0, ...watermarks }
  }
  const all = Array.from({ length: partitions }, (_, partition) => segmentsOf(partition))
  const emit = (): void => {}
  const tails = new Tails(async (asked) => asked.map(({ partition }) => state(partition)), limits)
  const reader = new Reader({
    log: {
      partitions: async (asked) => asked.map(({ partition }) => state(partition)),
      find: async (finds) =>
        finds.map(({ partition, offset, maxBytes, maxSegments }) => {
          const following = (all[partition] ?? []).filter(({ lastOffset }) => lastOffset >= offset)
          const enough = Math.ceil(maxBytes / (batchesPerSegment * batch.length))
          return { kind: 'found', segments: following.slice(0, Math.min(maxSegments, enough)), ...watermarks }
        }),
    },
    segments: new SegmentReader({
      objects: new CachedObjects(store, { maxBytes: cacheBytes }),
      crc32c: nativeCrc32c,
      damage: new DamageReports({ emit, topicName: () => 'topic' }),
      emit,
      limits,
    }),
    tails,
    follower: { loaded: (asked) => tails.loaded(asked) },
    clock: systemClock,
    turns: new Turns(systemClock),
    crc32c: nativeCrc32c,
    limits,
  })
  const offsets = Array<number>(partitions).fill(0)
  for (let turn = 0; offsets.some((offset) => offset < end); turn += 1) {
    const asked = (asks[turn % asks.length] ?? []).flatMap((partition) => {
      const offset = offsets[partition] ?? end
      return offset < end ? [{ topicId, partition, offset, maxBytes: mib }] : []
    })
    const answers = await reader.fetch(asked, {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 50 * mib,
      readCommitted: false,
      signal: new AbortController().signal,
    })
    for (const [index, answer] of answers.entries()) {
      if (answer.kind !== 'data') throw new Error(answer.error)
      offsets[asked[index]?.partition ?? -1] = answer.nextOffset
    }
  }
  return { gets: store.asked.length, objectBytes }
}

const all = (partitions: number): readonly (readonly number[])[] => [Array.from({ length: partitions }, (_, partition) => partition)]

test.for([1, 12, 13])(
  'a scan of a topic with %d partitions reads each object with one request, but for the first one',
  async (partitions) => {
    const { gets, objectBytes } = await requestsOf({ partitions, cacheBytes: 512 * mib, asks: all(partitions) })
    expect(gets).toBeLessThanOrEqual(objects + 3)
    // 20 requests for a GB.
    expect(objectBytes).toBeGreaterThan(50e6)
  },
)

test('clients that share the partitions of a topic, or ask for them in turn, share the requests', async () => {
  const asks = [
    [0, 1, 2],
    [3, 4, 5],
    [6, 7, 8],
    [9, 10, 11],
  ]
  const { gets } = await requestsOf({ partitions: 12, cacheBytes: 512 * mib, asks })
  // Until it is known where all of them read on.
  expect(gets).toBeLessThanOrEqual(objects + 12)
})

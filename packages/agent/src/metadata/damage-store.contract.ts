// The contract of every Metadata Service for damage: pages of objects and their segments, skipped ranges of offsets, and the scrubber's place.
import { describe, expect, test } from 'vitest'
import { must } from '../core/assert.ts'
import type { TopicPartition } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { systemClock, systemRandom } from '../time/system-clock.ts'
import type { SkipDamage } from './damage-store.ts'
import type { CommitBatch, CommitResult, Registration, Topic } from './metadata-store.ts'
import { type OpenedMetadata, openMetadata } from './open.ts'
import type { Segment } from './segment.ts'
import { aCommitIn, appended, type ContractDatabase, committed, inNewClusters, LostReplies, openCluster } from './testing/a-cluster.ts'

export function damageStoreContract(name: string, open: () => Promise<ContractDatabase>): void {
  describe(`the contract of a Metadata Service for damage: ${name}`, () => {
    let database: ContractDatabase
    let store: OpenedMetadata
    let me: Registration
    let topic: Topic

    inNewClusters(open, (cluster) => ({ database, store, me, topic } = cluster))

    const commit = (sequence: number, batches: readonly Partial<CommitBatch>[]): Promise<CommitResult> =>
      committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, batches)))
    const flush = (sequence: number) => ({ incarnation: me.incarnation.id, sequence })
    const partition = (number: number): TopicPartition => ({ topicId: topic.topicId, partition: number })
    const segments = async (offset = 0): Promise<readonly Segment[]> => {
      const [found] = await store.log.find([{ ...partition(0), offset, maxBytes: 100_000, maxSegments: 100 }])
      return found?.kind === 'found' ? found.segments : []
    }
    /** Three segments of ten offsets. The batches of the second one have 2, 3 and 5 offsets, and the second of them is damaged. */
    const damaged = async (): Promise<SkipDamage> => {
      await commit(1, [{ offsets: 10, maxTimestamp: 100 }])
      await commit(2, [
        { offsets: 2, maxTimestamp: 110 },
        { offsets: 3, maxTimestamp: 500 },
        { offsets: 5, maxTimestamp: 120 },
      ])
      await commit(3, [{ offsets: 10, maxTimestamp: 130 }])
      const segment = must((await segments(10))[0], 'the second segment')
      return {
        ...partition(0),
        segment,
        offset: 12,
        lastOffset: 14,
        kept: [
          { baseOffset: 10, lastOffset: 11, byteStart: segment.byteStart, sizeBytes: 100, maxTimestamp: 110 },
          { baseOffset: 15, lastOffset: 19, byteStart: segment.byteStart + 200, sizeBytes: 100, maxTimestamp: 120 },
        ],
        reason: 'a checksum is wrong',
      }
    }
    const places = (found: readonly Segment[]) =>
      found.map(({ baseOffset, lastOffset, byteStart, sizeBytes }) => [baseOffset, lastOffset, byteStart, sizeBytes])

    test('the objects are read page by page, in the order of their keys', async () => {
      for (const sequence of [1, 2, 3, 4, 5]) await commit(sequence, [{}])
      const first = await store.damage.objects({ maxObjects: 2 })
      expect(first).toEqual(
        [1, 2].map((sequence) => ({
          ...flush(sequence),
          key: objectKey(store.clusterId, me.incarnation, sequence),
          sizeBytes: 1000,
          checksum: 7,
        })),
      )
      expect((await store.damage.objects({ after: flush(2), maxObjects: 9 })).map(({ sequence }) => sequence)).toEqual([3, 4, 5])
      expect(await store.damage.objects({ after: flush(5), maxObjects: 9 })).toEqual([])
      expect((await store.damage.objectsAt([flush(4), flush(9)])).map(({ sequence }) => sequence)).toEqual([4])
      expect(await store.damage.totals()).toEqual({ objects: 5, bytes: 5000 })
      const other = await openCluster(database.sql)
      expect(await other.damage.objects({ maxObjects: 9 })).toEqual([])
      expect(await other.damage.totals()).toEqual({ objects: 0, bytes: 0 })
    })

    test('the segments in an object are found with their partitions, unless their topic is deleted', async () => {
      await commit(1, [{ offsets: 2 }])
      await commit(2, [{ offsets: 3 }, { partition: 2, offsets: 4 }])
      const found = await store.damage.segmentsIn([flush(2)])
      expect(
        found.map(({ topicId, partition: number, segment: { baseOffset, lastOffset } }) => [topicId, number, baseOffset, lastOffset]),
      ).toEqual(
        expect.arrayContaining([
          [topic.topicId, 0, 2, 4],
          [topic.topicId, 2, 0, 3],
        ]),
      )
      expect(found).toHaveLength(2)
      expect(found.find((one) => one.partition === 0)?.segment).toEqual((await segments(2))[0])
      expect(await store.damage.segmentsIn([])).toEqual([])
      await store.topics.delete(topic.topicId)
      expect(await store.damage.segmentsIn([flush(2)])).toEqual([])
    })

    test('a skip keeps what is left of the segment, records the range, and moves no offset', async () => {
      const skip = await damaged()
      expect(await store.damage.skip(skip)).toBe('skipped')
      expect(places(await segments())).toEqual([
        [0, 9, 0, 100],
        [10, 11, 0, 100],
        [12, 14, 0, 0],
        [15, 19, 200, 100],
        [20, 29, 0, 100],
      ])
      expect(new Set((await segments(10)).slice(0, 3).map(({ objectKey: key }) => key))).toEqual(new Set([skip.segment.objectKey]))
      expect((await segments(13))[0]).toMatchObject({ baseOffset: 12, sizeBytes: 0 })
      const [range, ...more] = await store.damage.skipped({})
      expect(more).toEqual([])
      expect(range).toMatchObject({
        ...partition(0),
        offset: 12,
        lastOffset: 14,
        objectKey: skip.segment.objectKey,
        reason: 'a checksum is wrong',
      })
      expect(Math.abs(must(range, 'the range').skippedAtMs - Date.now())).toBeLessThan(60_000)
      expect(await store.damage.skipped({ after: must(range, 'the range') })).toEqual([])
      expect((await commit(4, [{}])).verdicts).toEqual([appended(30)])
    })

    test('after a skip, a time is still found in the first segment that may have it', async () => {
      await store.damage.skip(await damaged())
      const at = async (timestamp: number) => {
        const [found] = await store.log.findByTime([{ ...partition(0), at: { kind: 'timestamp', timestamp } }])
        return found?.kind === 'found' ? found.segment?.baseOffset : undefined
      }
      expect([await at(50), await at(105), await at(115), await at(500), await at(501)]).toEqual([0, 10, 12, 12, undefined])
    })

    test('a whole segment can be skipped, also the first and the last of a log', async () => {
      await commit(1, [{ offsets: 10 }])
      const [only] = await segments()
      const skip = { ...partition(0), segment: must(only, 'the segment'), offset: 0, lastOffset: 9, kept: [], reason: 'missing' }
      expect(await store.damage.skip(skip)).toBe('skipped')
      expect(places(await segments())).toEqual([[0, 9, 0, 0]])
      expect(await store.log.partitions([partition(0)])).toMatchObject([{ logStartOffset: 0, highWatermark: 10 }])
    })

    test('a repeated skip changes nothing, also after a lost answer', async () => {
      const skip = await damaged()
      const lossy = new LostReplies(database.sql)
      const agent = await openMetadata(lossy, {
        clusterId: store.clusterId,
        newClusterId: store.clusterId,
        clock: systemClock,
        random: systemRandom,
      })
      lossy.next = 1
      expect(await agent.damage.skip(skip)).toBe('skipped')
      expect(lossy.lost).toEqual(['skipped'])
      expect(await store.damage.skip(skip)).toBe('skipped')
      expect(await store.damage.skipped({})).toHaveLength(1)
      expect(await segments()).toHaveLength(5)
    })

    test('a skip of a segment that the log does not have, or of a topic that is gone, changes nothing', async () => {
      const skip = await damaged()
      const before = await segments()
      const other = { ...skip, segment: { ...skip.segment, objectKey: 'another' } }
      expect(await store.damage.skip(other)).toBe('changed')
      expect(await store.damage.skip({ ...skip, partition: 9 })).toBe('unknown partition')
      expect(await segments()).toEqual(before)
      expect(await store.damage.skipped({})).toEqual([])
      await store.topics.delete(topic.topicId)
      expect(await store.damage.skip(skip)).toBe('unknown partition')
    })

    test('what is left of a segment can be damaged, too, and is skipped next', async () => {
      await store.damage.skip(await damaged())
      const rest = must((await segments(15))[0], 'the rest')
      expect(await store.damage.skip({ ...partition(0), segment: rest, offset: 15, lastOffset: 19, kept: [], reason: 'missing' })).toBe(
        'skipped',
      )
      expect((await store.damage.skipped({})).map(({ offset }) => offset)).toEqual([12, 15])
      expect((await segments()).map(({ sizeBytes }) => sizeBytes)).toEqual([100, 100, 0, 0, 100])
    })

    test('a recovery that cuts the log cuts skipped ranges, too: their offsets get new records', async () => {
      await store.damage.skip(await damaged())
      await store.recovery.cut(await store.recovery.damagedLogs([flush(2)]))
      expect(await store.damage.skipped({})).toEqual([])
      expect((await commit(4, [{}])).verdicts).toEqual([appended(10)])
    })

    test('the place of the scrubber is remembered, and a pass keeps the time at which it began', async () => {
      expect(await store.damage.scrub()).toBeUndefined()
      await store.damage.saveScrub({ after: flush(3), complete: false, begins: true, damaged: [flush(2)] })
      const { begunAgoMs, ...state } = must(await store.damage.scrub(), 'the state')
      expect(state).toEqual({ after: flush(3), complete: false, damaged: [flush(2)] })
      expect(begunAgoMs).toBeGreaterThanOrEqual(0)
      const pause = Date.now() + 5
      while (Date.now() < pause) await store.damage.totals()
      await store.damage.saveScrub({ after: undefined, complete: true, begins: false, damaged: [] })
      const readAt = Date.now()
      const later = must(await store.damage.scrub(), 'the state')
      expect(later).toMatchObject({ after: undefined, complete: true, damaged: [] })
      expect(later.begunAgoMs).toBeGreaterThanOrEqual(begunAgoMs + 5)
      await store.damage.saveScrub({ after: undefined, complete: false, begins: true, damaged: [] })
      const again = must(await store.damage.scrub(), 'the state')
      expect(again.begunAgoMs).toBeLessThan(later.begunAgoMs + Date.now() - readAt)
      expect(await (await openCluster(database.sql)).damage.scrub()).toBeUndefined()
    })
  })
}

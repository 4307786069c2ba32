// The contract of every Metadata Service for jobs that write segments again: their incarnations, swaps, and how far each log is compacted.
import { beforeEach, describe, expect, test } from 'vitest'
import { must } from '../core/assert.ts'
import type { Incarnation, TopicPartition } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import type { CommitBatch, Registration, Segment, Topic } from './metadata-store.ts'
import type { OpenedMetadata } from './open.ts'
import type { CompactionAsk, SwappedLog, SwapSegments } from './swap-store.ts'
import { aCommitIn, aNonce, type ContractDatabase, committed, day, inNewClusters, LostReplies, reopened } from './testing/a-cluster.ts'

export function swapStoreContract(name: string, open: () => Promise<ContractDatabase>): void {
  describe(`the contract of a Metadata Service for swaps: ${name}`, () => {
    let database: ContractDatabase
    let store: OpenedMetadata
    let me: Registration
    let topic: Topic
    let job: Incarnation

    inNewClusters(open, (cluster) => ({ database, store, me, topic } = cluster))
    beforeEach(async () => {
      job = await store.swaps.beginJob({ job: 'me compaction', nonce: aNonce() })
    })

    const commit = async (sequence: number, batches: readonly Partial<CommitBatch>[]): Promise<void> => {
      await committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, batches)))
    }
    const partition = (): TopicPartition => ({ topicId: topic.topicId, partition: 0 })
    const segments = async (offset = 0): Promise<readonly Segment[]> => {
      const [found] = await store.log.find([{ ...partition(), offset, maxBytes: 100_000, maxSegments: 100 }])
      return found?.kind === 'found' ? found.segments : []
    }
    /** Three segments of ten offsets. */
    const threeSegments = async (): Promise<readonly Segment[]> => {
      await commit(1, [{ offsets: 10, maxTimestamp: 100 }])
      await commit(2, [{ offsets: 10, maxTimestamp: 500 }])
      await commit(3, [{ offsets: 10, maxTimestamp: 130 }])
      return await segments()
    }
    /** Replaces the sources by one segment of 50 bytes. */
    const swapOf = (sources: readonly Segment[], more: Partial<SwapSegments> = {}): SwapSegments => ({
      incarnation: job,
      sequence: 1,
      object: { sizeBytes: 300, checksum: 9 },
      logs: [logOf(sources)],
      ...more,
    })
    const logOf = (sources: readonly Segment[], more: Partial<SwappedLog> = {}): SwappedLog => {
      const { baseOffset } = first(sources)
      const { lastOffset } = last(sources)
      return {
        ...partition(),
        sources,
        segments: [{ baseOffset, lastOffset, byteStart: 56, sizeBytes: 50, maxTimestamp: 100 }],
        ...more,
      }
    }
    const first = (some: readonly Segment[]): Segment => must(some[0], 'a first segment')
    const last = (some: readonly Segment[]): Segment => must(some.at(-1), 'a last segment')
    const ranges = (some: readonly Segment[]) => some.map(({ baseOffset, lastOffset, sizeBytes }) => [baseOffset, lastOffset, sizeBytes])

    test('a swap replaces its sources, and a repeated one changes nothing', async () => {
      const before = await threeSegments()
      const swap = swapOf(before.slice(0, 2))
      expect(await store.swaps.swap(swap)).toBe('swapped')
      const after = await segments()
      expect(ranges(after)).toEqual([
        [0, 19, 50],
        [20, 29, 100],
      ])
      expect(first(after).objectKey).toBe(objectKey(store.clusterId, job, 1))
      expect(await store.swaps.swap(swap)).toBe('swapped')
      expect(await segments()).toEqual(after)
      expect((await store.damage.totals()).objects).toBe(4)
      await commit(4, [{ offsets: 2 }])
      expect(ranges(await segments(15))).toEqual([
        [0, 19, 50],
        [20, 29, 100],
        [30, 31, 100],
      ])
    })

    test('a swap whose answer is lost is repeated, and done once', async () => {
      const before = await threeSegments()
      const sql = new LostReplies(database.sql)
      const lossy = await reopened(store, sql)
      sql.next = 1
      expect(await lossy.swaps.swap(swapOf(before))).toBe('swapped')
      expect(sql.lost).toEqual(['swapped'])
      expect(ranges(await segments())).toEqual([[0, 29, 50]])
    })

    test.each<[string, (source: Segment) => Segment]>([
      ['that another swap has replaced', (source) => source],
      ['in another object', (source) => ({ ...source, objectKey: 'another' })],
      ['with other bytes', (source) => ({ ...source, byteStart: source.byteStart + 1 })],
      ['with another size', (source) => ({ ...source, sizeBytes: source.sizeBytes + 1 })],
    ])('a swap changes nothing if one of its sources is a segment %s', async (what, changed) => {
      const before = await threeSegments()
      if (what.startsWith('that another')) await store.swaps.swap(swapOf(before.slice(0, 2)))
      const now = await segments()
      const sources = before.map((source, index) => (index === 1 ? changed(source) : source))
      expect(await store.swaps.swap(swapOf(sources, { sequence: 2 }))).toBe('changed')
      expect(await segments()).toEqual(now)
    })

    test('a swap of a job that has ended, or that began again, is fenced', async () => {
      const before = await threeSegments()
      const nonce = aNonce()
      const again = await store.swaps.beginJob({ job: 'me compaction', nonce })
      expect(await store.swaps.beginJob({ job: 'me compaction', nonce })).toEqual(again)
      expect(await store.swaps.swap(swapOf(before))).toBe('fenced')
      await store.swaps.endJob(again)
      await store.swaps.endJob(again)
      expect(await store.swaps.swap(swapOf(before, { incarnation: again }))).toBe('fenced')
      expect(await store.swaps.swap(swapOf(before, { incarnation: { ...again, nonce: aNonce() } }))).toBe('fenced')
      expect(await segments()).toEqual(before)
    })

    test('a job has no lease, and another job of another name goes on', async () => {
      const before = await threeSegments()
      await store.swaps.beginJob({ job: 'another', nonce: aNonce() })
      expect(await store.members.leases()).toHaveLength(1)
      expect((await store.members.beat(me.incarnation)).members).toHaveLength(1)
      expect(await store.swaps.swap(swapOf(before))).toBe('swapped')
    })

    test('a sequence before the last one is fenced, and a deleted topic has changed', async () => {
      const before = await threeSegments()
      expect(await store.swaps.swap(swapOf(before.slice(0, 1), { sequence: 5 }))).toBe('swapped')
      expect(await store.swaps.swap(swapOf(before.slice(1, 2), { sequence: 4 }))).toBe('fenced')
      await store.topics.delete(topic.topicId)
      expect(await store.swaps.swap(swapOf(before.slice(1, 2), { sequence: 6 }))).toBe('changed')
    })

    test('a time is found after its record was removed by a swap', async () => {
      const before = await threeSegments()
      await commit(4, [{ offsets: 10, maxTimestamp: 300 }])
      // The record with the time 500 goes.
      await store.swaps.swap(swapOf(before.slice(1, 2)))
      const at = async (at: { kind: 'timestamp'; timestamp: number } | { kind: 'max timestamp' }) => {
        const [found] = await store.log.findByTime([{ ...partition(), at }])
        return found?.kind === 'found' ? found.segment?.baseOffset : found
      }
      expect(await at({ kind: 'timestamp', timestamp: 90 })).toBe(0)
      expect(await at({ kind: 'timestamp', timestamp: 120 })).toBe(20)
      expect(await at({ kind: 'timestamp', timestamp: 200 })).toBe(30)
      expect(await at({ kind: 'timestamp', timestamp: 400 })).toBeUndefined()
      expect(await at({ kind: 'timestamp', timestamp: 600 })).toBeUndefined()
      expect(await at({ kind: 'max timestamp' })).toBe(30)
    })

    test('one swap replaces segments of several logs, and leaves a log alone that has changed', async () => {
      const batches = [0, 1, 2].map((index) => ({ partition: index, offsets: 10, maxTimestamp: 100 + index }))
      await commit(1, batches)
      await commit(2, batches)
      const at = async (index: number): Promise<readonly Segment[]> => {
        const ask = { topicId: topic.topicId, partition: index, offset: 0, maxBytes: 100_000, maxSegments: 100 }
        const [found] = await store.log.find([ask])
        return found?.kind === 'found' ? found.segments : []
      }
      const before = await Promise.all([0, 1, 2].map(at))
      const merged = { onceOffset: 20, twiceOffset: 0, waitingBytes: 50, waitingSegments: 1 }
      const logs = before.map((sources, index) => logOf(sources, { partition: index, merged }))
      // In the meantime one of the three changes.
      await store.swaps.swap(
        swapOf(must(before[1], 'the segments').slice(0, 1), { logs: [logOf(must(before[1], 'them').slice(0, 1), { partition: 1 })] }),
      )
      const result = await store.swaps.swap({ ...swapOf(must(before[0], 'the segments')), sequence: 2, logs: logs.toReversed() })
      expect(result).toBe('swapped')
      expect((await Promise.all([0, 1, 2].map(at))).map(ranges)).toEqual([
        [[0, 19, 50]],
        [
          [0, 9, 50],
          [10, 19, 100],
        ],
        [[0, 19, 50]],
      ])
      const states = await mergeStates([0, 1, 2])
      expect(states.map(({ partition: index, onceOffset, waitingBytes }) => [index, onceOffset, waitingBytes])).toEqual([
        [0, 20, 50],
        [1, 0, 0],
        [2, 20, 50],
      ])
      // All of its logs have changed: no object is added.
      const { objects } = await store.damage.totals()
      expect(await store.swaps.swap({ ...swapOf(must(before[0], 'the segments')), sequence: 3, logs })).toBe('changed')
      expect((await store.damage.totals()).objects).toBe(objects)
    })

    const mergeStates = async (indexes: readonly number[]) => {
      const states = await store.swaps.mergeStates(indexes.map((index) => ({ ...partition(), partition: index })))
      return states.toSorted((a, b) => a.partition - b.partition)
    }

    test('the states of merges are those of logs with something to merge', async () => {
      await threeSegments()
      const [state, ...others] = await mergeStates([0, 1, 9])
      expect(others).toEqual([])
      expect(state).toMatchObject({ partition: 0, logStartOffset: 0, nextOffset: 30, onceOffset: 0, twiceOffset: 0, waitingBytes: 0 })
      const save = (onceOffset: number, twiceOffset: number, waitingBytes: number, waitingSegments: number): Promise<void> =>
        store.swaps.saveMerged([{ ...partition(), onceOffset, twiceOffset, waitingBytes, waitingSegments }])
      await save(30, 10, 200, 2)
      expect(await mergeStates([0])).toMatchObject([{ onceOffset: 30, twiceOffset: 10, waitingBytes: 200, waitingSegments: 2 }])
      // Offsets never go back, and less than nothing never waits.
      await save(20, 5, -300, -1)
      expect(await mergeStates([0])).toMatchObject([{ onceOffset: 30, twiceOffset: 10, waitingBytes: 0, waitingSegments: 1 }])
      await save(30, 10, 7, -1)
      expect(await mergeStates([0])).toMatchObject([{ waitingBytes: 7, waitingSegments: 0 }])
      await save(30, 30, -7, 0)
      expect(await mergeStates([0])).toEqual([])
      await commit(4, [{ offsets: 1 }])
      expect(await mergeStates([0])).toMatchObject([{ onceOffset: 30, nextOffset: 31 }])
      await store.log.deleteRecords(me.incarnation.id, [{ ...partition(), beforeOffset: 31 }])
      expect(await mergeStates([0])).toEqual([])
      await store.swaps.saveMerged([{ ...partition(), partition: 9, onceOffset: 1, twiceOffset: 0, waitingBytes: 0, waitingSegments: 0 }])
    })

    test('the sources of merges are the next segments of each log, with their ages', async () => {
      await threeSegments()
      const state = must((await mergeStates([0]))[0], 'the state')
      const ask = (fromOffset: number, maxSegments: number) => ({ logId: state.logId, fromOffset, maxSegments })
      const [found] = await store.swaps.mergeSources([ask(10, 2)])
      expect(found?.map(({ ageMs, ...segment }) => [segment, ageMs >= 0 && ageMs < 60_000])).toEqual(
        (await segments(10)).slice(0, 2).map((segment) => [segment, true]),
      )
      const [none, unknown] = await store.swaps.mergeSources([ask(30, 5), { ...ask(0, 5), logId: state.logId + 1_000 }])
      expect([none, unknown]).toEqual([[], []])
      await store.swaps.swap({ ...swapOf(must(found, 'segments')), object: { sizeBytes: 1, checksum: 1, ageMs: day } })
      const [[after] = []] = await store.swaps.mergeSources([ask(10, 1)])
      expect(Math.abs(must(after, 'the new segment').ageMs - day)).toBeLessThan(60_000)
    })

    const ask = (more: Partial<CompactionAsk> = {}): CompactionAsk => ({
      ...partition(),
      segmentMs: 0,
      segmentBytes: 1e9,
      minLagMs: 0,
      ...more,
    })
    const state = async (more: Partial<CompactionAsk> = {}) => (await store.swaps.compactions([ask(more)]))[0]

    test('the dirty part of a log ends at the active part', async () => {
      const now = Date.now()
      const hour = 3_600_000
      for (const [index, ageMs] of [50 * hour, 40 * hour, 3 * hour, 2 * hour, -hour].entries())
        await commit(index + 1, [{ offsets: 10, maxTimestamp: now - ageMs, sizeBytes: 100 }])
      expect(await state()).toMatchObject({ logStartOffset: 0, cleanedOffset: 0, cleanableOffset: 40, cleanBytes: 0, dirtyBytes: 400 })
      expect(Math.abs(((await state())?.dirtyAgeMs ?? 0) - 50 * hour)).toBeLessThan(hour)
      expect(await state({ segmentMs: 10 * hour })).toMatchObject({ cleanableOffset: 20, dirtyBytes: 200 })
      // So many bytes follow the third segment that it is not active.
      expect(await state({ segmentMs: 10 * hour, segmentBytes: 250 })).toMatchObject({ cleanableOffset: 30 })
      expect(await state({ segmentBytes: 1, minLagMs: 45 * hour })).toMatchObject({ cleanableOffset: 10 })
      const logId = must(await state(), 'the state of a log').logId
      await store.swaps.saveCleaned({ ...partition(), logId, cleanedOffset: 20 })
      await store.swaps.saveCleaned({ ...partition(), logId, cleanedOffset: 10 })
      await store.swaps.saveCleaned({ ...partition(), logId: logId + 1000, cleanedOffset: 30 })
      expect(await state()).toMatchObject({ cleanedOffset: 20, cleanableOffset: 40, cleanBytes: 200, dirtyBytes: 200 })
      expect(await state({ minLagMs: 1000 * hour })).toMatchObject({ cleanedOffset: 20, cleanableOffset: 20, dirtyBytes: 0 })
      const [, missing, empty] = await store.swaps.compactions([ask(), ask({ partition: 9 }), ask({ partition: 1 })])
      expect(missing).toBeUndefined()
      expect(empty).toMatchObject({ cleanedOffset: 0, cleanableOffset: 0, dirtyBytes: 0, dirtyAgeMs: undefined })
    })

    test('the last offset of each producer is that of its last batch', async () => {
      const batch = { producerEpoch: 0, offsets: 3 }
      await commit(1, [
        { ...batch, producerId: 7, baseSequence: 0 },
        { ...batch, producerId: 8, baseSequence: 2 ** 31 - 2 },
        { ...batch, producerId: 7, baseSequence: 3 },
      ])
      const ends = await store.swaps.lastOffsets({ ...partition(), expirationMs: day })
      expect(ends.toSorted((a, b) => a.producerId - b.producerId)).toEqual([
        { producerId: 7, producerEpoch: 0, lastOffset: 8 },
        { producerId: 8, producerEpoch: 0, lastOffset: 5 },
      ])
      expect(await store.swaps.lastOffsets({ ...partition(), expirationMs: -1 })).toEqual([])
    })
  })
}

// The contract of every Metadata Service for the sweep: which objects were released, which of them segments name, and that a release in between is seen.
import { describe, expect, test } from 'vitest'
import type { RetentionConfigs } from '../core/log/retention.ts'
import type { CommitBatch, CommitResult, Registration, Topic } from './metadata-store.ts'
import type { OpenedMetadata } from './open.ts'
import type { SegmentKey } from './sweep-store.ts'
import { aCommitIn, type ContractDatabase, committed, inNewClusters } from './testing/a-cluster.ts'

export function sweepStoreContract(name: string, open: () => Promise<ContractDatabase>): void {
  describe(`the contract of a Metadata Service for the sweep: ${name}`, () => {
    let store: OpenedMetadata
    let me: Registration
    let topic: Topic

    inNewClusters(open, (cluster) => ({ store, me, topic } = cluster))

    const commit = (sequence: number, batches: readonly Partial<CommitBatch>[]): Promise<CommitResult> =>
      committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, batches)))
    const keepAll: RetentionConfigs = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }
    /** Deletes the records before the offset, and the rows of their segments. */
    const deleteBefore = async (partition: number, beforeOffset: number): Promise<void> => {
      const place = { topicId: topic.topicId, partition }
      await store.log.deleteRecords(me.incarnation.id, [{ ...place, beforeOffset }])
      await store.retention.step({ owner: me.incarnation.id, partitions: [place], nowMs: 0, defaults: keepAll })
    }
    const released = () => store.sweep.released({ maxObjects: 100 })
    const sequences = (objects: readonly { readonly sequence: number }[]) => objects.map(({ sequence }) => sequence)
    const named = async (maxSegments: number): Promise<readonly number[]> => {
      const objects = await released()
      const found = new Set<number>()
      for (let after: SegmentKey | undefined, more = true; more; more = after !== undefined) {
        const page = await store.sweep.namedIn({ objects, maxSegments, ...(after && { after }) })
        for (const sequence of sequences(page.named)) found.add(sequence)
        after = page.next
      }
      return [...found].toSorted((a, b) => a - b)
    }

    test('an object is released when it loses a segment, and named while another segment has bytes in it', async () => {
      for (const sequence of [1, 2, 3]) await commit(sequence, [{ offsets: 10 }, { partition: 1, offsets: 10 }])
      expect(await released()).toEqual([])
      await deleteBefore(0, 20)
      expect(await released()).toMatchObject([{ sequence: 1, sizeBytes: 1000, key: expect.stringContaining('/') }, { sequence: 2 }])
      for (const page of [1, 2, 100]) expect(await named(page)).toEqual([1, 2])
      await deleteBefore(1, 10)
      for (const page of [1, 2, 100]) expect(await named(page)).toEqual([2])
      await deleteBefore(0, 30)
      await deleteBefore(1, 30)
      expect([sequences(await released()), await named(100)]).toEqual([[1, 2, 3], []])
    })

    test('an object of which no batch was appended is released by its commit', async () => {
      const once = { producerId: 7, producerEpoch: 0, baseSequence: 0 }
      await commit(1, [once])
      await commit(2, [once, { epoch: 99 }])
      expect(sequences(await released())).toEqual([2])
      await commit(3, [once, {}])
      expect([sequences(await released()), await named(100)]).toEqual([[2], []])
    })

    test('the released objects are listed page by page', async () => {
      for (const sequence of [1, 2, 3]) await commit(sequence, [{ offsets: 10 }])
      await deleteBefore(0, 30)
      const first = await store.sweep.released({ maxObjects: 2 })
      const [, last] = first
      expect(sequences(first)).toEqual([1, 2])
      expect(sequences(await store.sweep.released({ maxObjects: 2, ...(last && { after: last }) }))).toEqual([3])
    })

    test('what is kept is not listed until its next release, and a release in between is a change', async () => {
      for (const sequence of [1, 2]) await commit(sequence, [{ offsets: 10 }, { partition: 1, offsets: 10 }])
      await deleteBefore(0, 20)
      const before = await released()
      expect(await store.sweep.unchanged(before)).toEqual(before)
      // The clock of the database has milliseconds.
      const releasedMs = Date.now()
      await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(releasedMs)
      await deleteBefore(1, 10)
      expect(sequences(await store.sweep.unchanged(before))).toEqual([2])
      // Neither of them has an effect on the object that was released again.
      await store.sweep.keep(before)
      await store.sweep.forget(before)
      expect(sequences(await released())).toEqual([1])
      await deleteBefore(1, 20)
      expect(sequences(await released())).toEqual([1, 2])
    })

    test('a forgotten object is gone, also from the lists of objects', async () => {
      for (const sequence of [1, 2]) await commit(sequence, [{ offsets: 10 }])
      await deleteBefore(0, 10)
      const objects = await released()
      for (const repeated of ['first', 'again']) {
        await store.sweep.forget(objects)
        expect(await released(), repeated).toEqual([])
      }
      expect(sequences(await store.damage.objects({ maxObjects: 100 }))).toEqual([2])
    })
  })
}

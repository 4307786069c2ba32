// The contract of every Metadata Service for expiry: what is old goes page by page, what is young or in use stays, and what a deleted topic leaves is gone in the end.
import { beforeEach, describe, expect, test } from 'vitest'
import type { ProducerPlace } from './expiry-store.ts'
import type { CommitBatch, Registration, Topic } from './metadata-store.ts'
import type { OpenedMetadata } from './open.ts'
import { aCommitIn, aNonce, type ContractDatabase, committed, day, inNewClusters, registered } from './testing/a-cluster.ts'

export function expiryStoreContract(name: string, open: () => Promise<ContractDatabase>): void {
  describe(`the contract of a Metadata Service for expiry: ${name}`, () => {
    let store: OpenedMetadata
    let me: Registration
    let topic: Topic
    let sequence: number

    inNewClusters(open, (cluster) => ({ store, me, topic } = cluster))
    beforeEach(() => {
      sequence = 0
    })

    const commit = (...batches: readonly Partial<CommitBatch>[]) =>
      committed(store.log.commit(aCommitIn({ store, me, topic }, (sequence += 1), batches)))
    const of = (producerId: number): Partial<CommitBatch> => ({ producerId, producerEpoch: 0, baseSequence: 0, partition: producerId % 4 })
    const keyed = (key: string): Partial<CommitBatch> => ({ idempotency: { key, bodyHash: 'hash', timestamp: 5 } })
    /** Waits until everything is older than 0 ms by the database's clock. */
    const aged = async (): Promise<void> => {
      const sinceMs = Date.now()
      await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(sinceMs + 1)
    }
    const all = async <Place>(
      expire: (page: {
        readonly after?: Place
        readonly olderThanMs: number
        readonly maxRows: number
      }) => Promise<{ readonly removed: number; readonly next?: Place }>,
      page: { readonly olderThanMs: number; readonly maxRows: number },
    ): Promise<number> => {
      let removed = 0
      for (let after: Place | undefined, more = true; more; more = after !== undefined) {
        const step = await expire({ ...page, ...(after !== undefined && { after }) })
        removed += step.removed
        after = step.next
      }
      return removed
    }

    test('silent producers are forgotten page by page, and others are not', async () => {
      for (let producerId = 1; producerId <= 7; producerId += 1) await commit(of(producerId))
      await aged()
      const producers = (page: { readonly olderThanMs: number; readonly maxRows: number }) =>
        all<ProducerPlace>((step) => store.expiry.expireProducers(step), page)
      expect(await producers({ olderThanMs: day, maxRows: 3 })).toBe(0)
      expect((await commit({ ...of(1) })).verdicts).toMatchObject([{ kind: 'duplicate' }])
      expect(await producers({ olderThanMs: 0, maxRows: 3 })).toBe(7)
      expect(await producers({ olderThanMs: 0, maxRows: 3 })).toBe(0)
      expect((await commit({ ...of(1) })).verdicts).toMatchObject([{ kind: 'appended' }])
    })

    test('old idempotency keys are free again', async () => {
      for (const key of ['a', 'b', 'c']) await commit(keyed(key))
      await aged()
      const keys = (page: { readonly olderThanMs: number; readonly maxRows: number }) =>
        all<string>((step) => store.expiry.expireKeys(step), page)
      expect(await keys({ olderThanMs: day, maxRows: 2 })).toBe(0)
      expect((await commit(keyed('b'))).verdicts).toMatchObject([{ kind: 'duplicate' }])
      expect(await keys({ olderThanMs: 0, maxRows: 2 })).toBe(3)
      expect((await commit(keyed('b'))).verdicts).toMatchObject([{ kind: 'appended' }])
    })

    test('blocks of producer ids are forgotten, and ids are not given out again', async () => {
      const first = await store.log.allocateProducerIds(10)
      await aged()
      expect(await store.expiry.expireProducerIds({ olderThanMs: day })).toEqual({ removed: 0 })
      expect(await store.expiry.expireProducerIds({ olderThanMs: 0 })).toEqual({ removed: 1 })
      expect(await store.log.allocateProducerIds(10)).not.toEqual(first)
    })

    test('an ended incarnation is forgotten when nothing names it, and never the newest of an agent', async () => {
      const forget = (kept: readonly number[] = [], fencedForMs = 0) => store.expiry.forgetIncarnations({ fencedForMs, kept, maxRows: 100 })
      const job = await store.swaps.beginJob({ job: 'me compaction', nonce: aNonce() })
      await aged()
      expect(await forget()).toEqual({ removed: 0 })
      await store.swaps.endJob(job)
      await registered(store, 'me', 'all')
      await aged()
      expect(await forget([], day)).toEqual({ removed: 0 })
      expect(await forget([job.id, me.incarnation.id])).toEqual({ removed: 0 })
      expect(await forget([me.incarnation.id])).toEqual({ removed: 1 })
      expect(await store.orphans.standings([{ incarnation: job, sequence: 1 }])).toEqual([{ kind: 'unknown' }])
      expect(await store.orphans.standings([{ incarnation: me.incarnation, sequence: 1 }])).toMatchObject([{ kind: 'uncommitted' }])
      expect(await forget()).toEqual({ removed: 1 })
      expect(await store.orphans.standings([{ incarnation: me.incarnation, sequence: 1 }])).toEqual([{ kind: 'unknown' }])
      expect(await forget()).toEqual({ removed: 0 })
    })

    test('an incarnation stays while an object, a marker or a skipped range names it', async () => {
      const forget = () => store.expiry.forgetIncarnations({ fencedForMs: 0, kept: [], maxRows: 100 })
      await commit({})
      await registered(store, 'me', 'all')
      await aged()
      expect(await forget()).toEqual({ removed: 0 })
      await store.topics.delete(topic.topicId)
      while ((await store.retention.purge({ undeleteMs: 0 })).more);
      expect(await forget()).toEqual({ removed: 0 })
      await store.sweep.forget(await store.sweep.released({ maxObjects: 10 }))
      expect(await forget()).toEqual({ removed: 1 })
    })

    test('a job that an agent left behind is fenced, and the incarnations of agents are not', async () => {
      const job = await store.swaps.beginJob({ job: 'gone compaction', nonce: aNonce() })
      expect(await store.expiry.fenceOldJobs({ olderThanMs: day })).toEqual({ fenced: 0 })
      expect(await store.orphans.standings([{ incarnation: job, sequence: 1 }])).toEqual([{ kind: 'open' }])
      expect(await store.expiry.fenceOldJobs({ olderThanMs: 0 })).toEqual({ fenced: 1 })
      expect(await store.expiry.fenceOldJobs({ olderThanMs: 0 })).toEqual({ fenced: 0 })
      expect(await store.orphans.standings([{ incarnation: job, sequence: 1 }])).toMatchObject([{ kind: 'uncommitted' }])
      expect(await store.members.beat(me.incarnation)).toMatchObject({ kind: 'active' })
    })

    test('nothing is left of topics that are deleted, purged and swept', async () => {
      await commit({ ...of(1) }, { ...of(2) }, keyed('k'))
      await commit({ ...of(3), partition: 3 })
      await store.topics.delete(topic.topicId)
      await aged()
      while ((await store.retention.purge({ undeleteMs: 0 })).more);
      const released = await store.sweep.released({ maxObjects: 10 })
      expect((await store.sweep.namedIn({ objects: released, maxSegments: 100 })).named).toEqual([])
      await store.sweep.forget(released)
      expect(await store.damage.totals()).toEqual({ objects: 0, bytes: 0 })
      // The purge has taken them already.
      expect(await all<ProducerPlace>((step) => store.expiry.expireProducers(step), { olderThanMs: 0, maxRows: 100 })).toBe(0)
      expect(await all<string>((step) => store.expiry.expireKeys(step), { olderThanMs: 0, maxRows: 100 })).toBe(0)
      expect(await store.topics.undelete(topic.topicId)).toEqual({ kind: 'unknown' })
    })
  })
}

// The contract of every Metadata Service. A test file calls it once per database. It is one thing, however long, because a database must keep all of it.
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ConfigChanges } from '../core/config/config-changes.ts'
import type { Incarnation, TopicId } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { slotOfPartition, slotsOfNewCluster } from '../core/slots.ts'
import { defaultLimits } from '../limits.ts'
import { systemClock, systemRandom } from '../time/system-clock.ts'
import { runningClock, steadyRandom } from '../time/testing/manual-clock.ts'
import {
  type CommitBatch,
  type CommitInput,
  type CommitResult,
  MetadataError,
  type Registration,
  type Topic,
  type Verdict,
} from './metadata-store.ts'
import { type OpenedMetadata, openMetadata } from './open.ts'
import type { Sql } from './sql.ts'
import {
  aCommitIn,
  aNonce,
  anAgent,
  appended,
  aTopic,
  aTopicId,
  type ContractDatabase,
  committed,
  inNewClusters,
  LostReplies,
  newTopic,
  openCluster,
  outOfOrder,
  registered,
  reopened,
} from './testing/a-cluster.ts'
import type { Transactions } from './transactions.ts'

export function metadataStoreContract(name: string, open: () => Promise<ContractDatabase>): void {
  describe(`the contract of a Metadata Service: ${name}`, () => {
    let database: ContractDatabase
    let store: OpenedMetadata
    let me: Registration
    let topic: Topic

    inNewClusters(open, (cluster) => ({ database, store, me, topic } = cluster))

    const aCommit = (sequence: number, batches: readonly Partial<CommitBatch>[], more: Partial<CommitInput> = {}): CommitInput =>
      aCommitIn({ store, me, topic }, sequence, batches, more)
    const commit = (...of: Parameters<typeof aCommit>): Promise<CommitResult> => committed(store.log.commit(aCommit(...of)))

    // ---- clusters -------------------------------------------------------------------------------------------------------------------

    test('a cluster is created once, and found after that', async () => {
      const again = await reopened(store, database.sql)
      expect([store.created, again.created]).toEqual([true, false])
      expect([again.clusterId, again.slots]).toEqual([store.clusterId, slotsOfNewCluster])
    })

    test('with several clusters and none named, opening fails', async () => {
      await openCluster(database.sql)
      const opening = openMetadata(database.sql, { newClusterId: randomUUID(), clock: systemClock, random: systemRandom })
      await expect(opening).rejects.toMatchObject({ name: 'MetadataError', kind: 'invalid', reason: 'several clusters' })
    })

    test('two clusters in one database never see each other', async () => {
      const other = await openCluster(database.sql)
      expect(await other.topics.list()).toEqual([])
      expect(await other.topics.find({ names: [topic.name], topicIds: [topic.topicId] })).toEqual([])
      const elsewhere = await registered(other, 'me')
      expect(elsewhere).toMatchObject({ brokerId: 1, incarnation: { id: 1 } })
      expect((await other.members.beat(elsewhere.incarnation)).members).toHaveLength(1)
      const same = await other.topics.create({ ...newTopic(), topicId: topic.topicId, name: topic.name, partitions: 1 })
      expect(same.kind).toBe('created')
      await commit(1, [{ offsets: 5 }])
      expect(await other.log.partitions([{ topicId: topic.topicId, partition: 0 }])).toMatchObject([{ highWatermark: 0 }])
      expect((await store.members.beat(me.incarnation)).kind).toBe('active')
      expect(await other.log.commit(aCommit(2, [{}]))).toEqual({ kind: 'fenced' })
    })

    // ---- topics ---------------------------------------------------------------------------------------------------------------------

    test('a topic is found by name and by id, and listed in order', async () => {
      const second = await aTopic(store, { name: 'a-first', configs: { 'retention.ms': '-1' } })
      expect(await store.topics.find({ names: [topic.name, 'absent'], topicIds: [second.topicId] })).toEqual(
        expect.arrayContaining([topic, second]),
      )
      expect(await store.topics.find({ names: [topic.name], topicIds: [topic.topicId] })).toEqual([topic])
      expect((await store.topics.list()).map((one) => one.name)).toEqual(['a-first', topic.name].toSorted())
      expect(second.configs).toEqual({ 'retention.ms': '-1' })
      expect(Math.abs(second.createdAtMs - Date.now())).toBeLessThan(60_000)
    })

    test('a topic name is unique, also among names that differ only by . and _', async () => {
      const dotted = await aTopic(store, { name: 'a.b' })
      expect(await store.topics.create(newTopic({ name: 'a.b' }))).toEqual({ kind: 'exists', topic: dotted })
      expect(await store.topics.create(newTopic({ name: 'a_b' }))).toEqual({ kind: 'collides', with: 'a.b' })
    })

    test('repeating a creation creates one topic', async () => {
      const input = newTopic({ name: 'twice' })
      const first = await store.topics.create(input)
      expect(await store.topics.create(input)).toEqual(first)
      expect(first.kind).toBe('created')
    })

    test('a dry run changes nothing', async () => {
      const input = newTopic({ name: 'dry', dryRun: true })
      expect(await store.topics.create(input)).toMatchObject({ kind: 'created', topic: { name: 'dry' } })
      expect(await store.topics.find({ names: ['dry'] })).toEqual([])
      expect(await store.topics.grow({ topicId: topic.topicId, partitions: 9, dryRun: true })).toMatchObject({ kind: 'grown' })
      expect(await store.topics.find({ topicIds: [topic.topicId] })).toMatchObject([{ partitions: 4 }])
    })

    const setting = (name: string, value: string) => ({ kind: 'incremental', changes: [{ name, operation: 'SET', value }] }) as const

    test('changed configs are stored, all of them or none, and a dry run only checks', async () => {
      const { name } = await aTopic(store, { name: 'changed', configs: { 'flush.ms': '1', 'segment.ms': '2' } })
      const both: ConfigChanges = {
        kind: 'incremental',
        changes: [
          { name: 'segment.ms', operation: 'DELETE', value: null },
          { name: 'max.message.bytes', operation: 'SET', value: '10' },
        ],
      }
      const stored = async () => (await store.topics.find({ names: [name] }))[0]?.configs
      const configs = { 'flush.ms': '1', 'max.message.bytes': '10' }
      expect(await store.topics.changeConfigs({ name, changes: both, dryRun: true })).toMatchObject({ kind: 'changed', topic: { configs } })
      expect(await stored()).toEqual({ 'flush.ms': '1', 'segment.ms': '2' })
      for (const repeated of ['first', 'again'])
        expect(await store.topics.changeConfigs({ name, changes: both, dryRun: false }), repeated).toMatchObject({ topic: { configs } })
      expect(await stored()).toEqual(configs)
      const wrong = {
        kind: 'full',
        configs: [
          { name: 'flush.ms', value: '5' },
          { name: 'segment.ms', value: 'x' },
        ],
      } as const
      expect(await store.topics.changeConfigs({ name, changes: wrong, dryRun: false })).toMatchObject({ kind: 'rejected', code: 40 })
      expect(await stored()).toEqual(configs)
    })

    test('the size of a partition is that of its segments, and its producers are those that it remembers', async () => {
      const idempotent = { producerId: 7, producerEpoch: 2, baseSequence: 0, offsets: 3, maxTimestamp: 50 }
      await commit(1, [{ sizeBytes: 70 }, { ...idempotent, sizeBytes: 30 }, { partition: 1, sizeBytes: 5 }])
      const { topicId } = topic
      const asked = [0, 1, 2, 9].map((partition) => ({ topicId, partition }))
      expect(await store.log.sizes(asked)).toEqual([100, 5, 0, undefined])
      const remembered = [{ producerId: 7, epoch: 2, lastSequence: 2, lastTimestamp: 50 }]
      expect(await store.log.producers(asked, { expirationMs: 60_000 })).toEqual([remembered, [], [], undefined])
      expect(await store.log.producers(asked.slice(0, 1), { expirationMs: -1 })).toEqual([[]])
      await store.topics.delete(topicId)
      expect(await store.log.sizes(asked.slice(0, 1))).toEqual([undefined])
      expect(await store.log.producers(asked.slice(0, 1), { expirationMs: 60_000 })).toEqual([undefined])
    })

    test('configs are checked against the stored ones, not against those that the caller knows', async () => {
      const { name } = await aTopic(store, { name: 'lags', configs: { 'min.compaction.lag.ms': '10' } })
      expect(await store.topics.changeConfigs({ name, changes: setting('max.compaction.lag.ms', '5'), dryRun: false })).toEqual({
        kind: 'rejected',
        code: 40,
        message: 'conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)',
      })
    })

    test('a topic that does not exist has no configs, and wrong configs are reported first', async () => {
      await aTopic(store, { name: 'a.b.c' })
      for (const name of ['absent', 'a_b_c']) {
        expect(await store.topics.changeConfigs({ name, changes: setting('flush.ms', '5'), dryRun: false })).toEqual({ kind: 'unknown' })
        expect(await store.topics.changeConfigs({ name, changes: setting('flush.ms', '-5'), dryRun: false })).toMatchObject({ code: 40 })
      }
      await store.topics.delete(topic.topicId)
      expect(await store.topics.changeConfigs({ name: topic.name, changes: setting('flush.ms', '5'), dryRun: false })).toEqual({
        kind: 'unknown',
      })
    })

    test('the configs of client metrics are stored until the last one is removed', async () => {
      const kind = 'client metrics'
      const subscribed = { kind, name: 'm', changes: setting('metrics', 'a.b, c'), dryRun: false } as const
      expect(await store.resources.change({ ...subscribed, dryRun: true })).toEqual({ kind: 'changed' })
      expect(await store.resources.list()).toEqual([])
      for (const name of ['m', 'l', 'm']) expect(await store.resources.change({ ...subscribed, name })).toEqual({ kind: 'changed' })
      const configs = { metrics: 'a.b,c' }
      expect(await store.resources.list()).toEqual([
        { kind, name: 'l', configs },
        { kind, name: 'm', configs },
      ])
      expect(await store.resources.change({ ...subscribed, changes: setting('interval.ms', '5') })).toMatchObject({
        kind: 'rejected',
        code: 42,
      })
      const removal = { kind: 'incremental', changes: [{ name: 'metrics', operation: 'DELETE', value: null }] } as const
      expect(await store.resources.change({ ...subscribed, changes: removal })).toEqual({ kind: 'changed' })
      expect(await store.resources.list()).toEqual([{ kind, name: 'l', configs }])
    })

    test('the configs of brokers are stored as they were given, for one broker and for all', async () => {
      const kind = 'broker'
      const change = (name: string, ...[config, value]: Parameters<typeof setting>) =>
        store.resources.change({ kind, name, changes: setting(config, value), dryRun: false })
      expect(await change('1', 'message.max.bytes', ' 6000 ')).toEqual({ kind: 'changed' })
      expect(await change('', 'log.cleaner.min.cleanable.ratio', '1')).toEqual({ kind: 'changed' })
      expect(await change('', 'message.max.bytes', 'x')).toMatchObject({ kind: 'rejected', code: 42 })
      expect(await change('', 'num.partitions', '5')).toMatchObject({ kind: 'rejected', code: 42 })
      expect(await store.resources.list()).toEqual([
        { kind, name: '', configs: { 'log.cleaner.min.cleanable.ratio': '1' } },
        { kind, name: '1', configs: { 'message.max.bytes': ' 6000 ' } },
      ])
    })

    test('a deleted topic is not found any more, and its name is free for another id', async () => {
      await commit(1, [{ offsets: 3 }])
      expect(await store.topics.delete(topic.topicId)).toBe('deleted')
      expect(await store.topics.delete(topic.topicId)).toBe('unknown')
      expect(await store.topics.find({ names: [topic.name], topicIds: [topic.topicId] })).toEqual([])
      expect(await store.log.partitions([{ topicId: topic.topicId, partition: 0 }])).toEqual([undefined])
      const verdicts = (await commit(2, [{}])).verdicts
      expect(verdicts).toEqual([{ kind: 'rejected', reason: 'UNKNOWN_TOPIC_ID' }])
      const again = await aTopic(store, { name: topic.name })
      expect(await store.log.partitions([{ topicId: again.topicId, partition: 0 }])).toMatchObject([{ highWatermark: 0 }])
    })

    test('a topic grows, keeps its records, and never shrinks', async () => {
      await commit(1, [{ offsets: 3 }])
      const grown = await store.topics.grow({ topicId: topic.topicId, partitions: 6, dryRun: false })
      expect(grown).toEqual({ kind: 'grown', topic: { ...topic, partitions: 6 } })
      expect(await store.topics.grow({ topicId: topic.topicId, partitions: 6, dryRun: false })).toEqual({ kind: 'not more', partitions: 6 })
      expect(await store.topics.grow({ topicId: aTopicId(), partitions: 6, dryRun: false })).toEqual({ kind: 'unknown' })
      const states = await store.log.partitions([0, 5, 6].map((partition) => ({ topicId: topic.topicId, partition })))
      expect(states).toMatchObject([{ highWatermark: 3 }, { highWatermark: 0 }, undefined])
      expect(new Set(states.map((state) => state?.logId)).size).toBe(3)
      expect((await commit(2, [{ partition: 5 }, { partition: 6 }])).verdicts).toEqual([
        { kind: 'appended', baseOffset: 0 },
        { kind: 'rejected', reason: 'UNKNOWN_TOPIC_OR_PARTITION' },
      ])
    })

    // ---- the commit -----------------------------------------------------------------------------------------------------------------

    test('batches get their offsets in order, separately for each log', async () => {
      const first = await commit(1, [
        { offsets: 3, maxTimestamp: 50 },
        { offsets: 2, maxTimestamp: 40 },
        { partition: 1, offsets: 7 },
      ])
      expect(offsetsOf(first)).toEqual([0, 3, 0])
      expect(offsetsOf(await commit(2, [{ offsets: 1 }, { partition: 1 }]))).toEqual([5, 7])
      const states = await store.log.partitions([partition(0), partition(1), partition(2)])
      expect(states).toMatchObject([
        { highWatermark: 6, lastStableOffset: 6, logStartOffset: 0, owner: me.incarnation.id },
        { highWatermark: 8 },
        { highWatermark: 0, maxTimestamp: -1 },
      ])
      expect(first.grown).toMatchObject([
        { partition: 0, highWatermark: 5, segments: [{ baseOffset: 0, lastOffset: 4, byteStart: 0, sizeBytes: 200, maxTimestamp: 50 }] },
        { partition: 1, highWatermark: 7, segments: [{ baseOffset: 0, lastOffset: 6, byteStart: 200 }] },
      ])
      expect(first.grown[0]?.segments[0]?.objectKey).toBe(objectKey(store.clusterId, me.incarnation, 1))
    })

    test('a replay of the last flush gets the identical answer, and changes nothing', async () => {
      await commit(1, [{ offsets: 2 }])
      const input = aCommit(2, [{ offsets: 3 }, { partition: 3 }, { partition: 99 }])
      const first = await store.log.commit(input)
      expect(await store.log.commit(input)).toEqual(first)
      expect(await store.log.commit(structuredClone(input))).toEqual(first)
      expect(await store.log.partitions([partition(0)])).toMatchObject([{ highWatermark: 5 }])
    })

    test('a replay gets the same answer after fencing; any new flush is rejected', async () => {
      const input = aCommit(1, [{ offsets: 2 }])
      const first = await store.log.commit(input)
      const late = aCommit(2, [{}])
      await registered(store, 'me', 'all')
      expect(await store.log.commit(input)).toEqual(first)
      expect(await store.log.commit(late)).toEqual({ kind: 'fenced' })
      expect(await store.log.partitions([partition(0)])).toMatchObject([{ highWatermark: 2 }])
    })

    test('a flush out of order is rejected, and can come again in order', async () => {
      const second = aCommit(2, [{}])
      expect(await store.log.commit(second)).toEqual({ kind: 'out of order', lastSequence: 0 })
      await commit(1, [{}])
      expect(offsetsOf(await committed(store.log.commit(second)))).toEqual([1])
    })

    test('an empty successor abandons the flushes before it permanently', async () => {
      await commit(1, [{}])
      const given = { ...aCommit(4, []), prev: 1, object: null }
      expect(await committed(store.log.commit(given))).toEqual({ verdicts: [], grown: [] })
      for (const sequence of [2, 3]) expect(await store.log.commit({ ...aCommit(sequence, [{}]), prev: 1 })).toEqual({ kind: 'abandoned' })
      expect(offsetsOf(await commit(5, [{}]))).toEqual([1])
    })

    test('a nonce of another database is fenced', async () => {
      const stranger: Incarnation = { id: me.incarnation.id, nonce: aNonce() }
      expect(await store.log.commit(aCommit(1, [{}], { incarnation: stranger }))).toEqual({ kind: 'fenced' })
      expect((await store.members.beat(stranger)).kind).toBe('fenced')
    })

    test('a batch for a slot of another owner or another epoch is rejected with NOT_LEADER_OR_FOLLOWER', async () => {
      const epoch = me.slots[0]?.epoch ?? 0
      const verdicts = (await commit(1, [{ epoch: epoch + 1 }, { epoch: epoch - 1, partition: 1 }, { partition: 2 }])).verdicts
      expect(verdicts).toEqual([notLeader, notLeader, { kind: 'appended', baseOffset: 0 }])
      const other = await registered(store, 'other')
      const foreign = aCommit(1, [{ partition: 2 }], { incarnation: other.incarnation })
      expect((await committed(store.log.commit(foreign))).verdicts).toEqual([notLeader])
    })

    test('segments stay small, and a rejected batch splits one', async () => {
      const half = defaultLimits.segmentBytes / 2
      const { grown } = await commit(1, [{ sizeBytes: half }, { sizeBytes: half }, { sizeBytes: 10 }, { epoch: 77 }, { sizeBytes: 10 }])
      expect(grown[0]?.segments.map(({ baseOffset, lastOffset, sizeBytes }) => [baseOffset, lastOffset, sizeBytes])).toEqual([
        [0, 1, 2 * half],
        [2, 2, 10],
        [3, 3, 10],
      ])
    })

    test('each handle has its own limit for segments', async () => {
      const narrow = await reopened(store, database.sql, { limits: { ...defaultLimits, segmentBytes: 250 } })
      const sizes = ({ grown }: CommitResult) => grown[0]?.segments.map(({ sizeBytes }) => sizeBytes)
      expect(sizes(await committed(narrow.log.commit(aCommit(1, [{}, {}, {}]))))).toEqual([200, 100])
      expect(sizes(await commit(2, [{}, {}, {}]))).toEqual([300])
    })

    // ---- idempotent producers -------------------------------------------------------------------------------------------------------

    const sent = (baseSequence: number, more: Partial<CommitBatch> = {}): Partial<CommitBatch> => ({
      producerId: 7,
      producerEpoch: 0,
      baseSequence,
      ...more,
    })
    const duplicate = (baseOffset: number, timestamp = 1): Verdict => ({ kind: 'duplicate', baseOffset, timestamp })

    test('the last five batches of a producer are recognized as duplicates, with their offsets', async () => {
      for (const n of [0, 1, 2, 3, 4, 5]) await commit(n + 1, [sent(n * 2, { offsets: 2, maxTimestamp: 100 + n })])
      const { verdicts } = await commit(
        7,
        [1, 2, 3, 4, 5].map((n) => sent(n * 2, { offsets: 2 })),
      )
      expect(verdicts).toEqual([1, 2, 3, 4, 5].map((n) => duplicate(n * 2, 100 + n)))
      expect((await commit(8, [sent(0, { offsets: 2 })])).verdicts).toEqual([outOfOrder])
      expect(await store.log.partitions([partition(0)])).toMatchObject([{ highWatermark: 12 }])
    })

    test('duplicates within one flush are recognized, too', async () => {
      const { verdicts } = await commit(1, [sent(0), sent(1), sent(1), sent(3), sent(0, { partition: 1 })])
      expect(verdicts).toEqual([appended(0), appended(1), duplicate(1), outOfOrder, appended(0)])
    })

    test('an older epoch is rejected, a newer one begins at 0', async () => {
      await commit(1, [sent(0, { producerEpoch: 3 })])
      const { verdicts } = await commit(2, [
        sent(1, { producerEpoch: 2 }),
        sent(1, { producerEpoch: 4 }),
        sent(0, { producerEpoch: 4 }),
        sent(1, { producerEpoch: 3 }),
      ])
      expect(verdicts).toEqual([
        { kind: 'rejected', reason: 'INVALID_PRODUCER_EPOCH' },
        outOfOrder,
        appended(1),
        { kind: 'rejected', reason: 'INVALID_PRODUCER_EPOCH' },
      ])
    })

    test('sequences wrap from 2^31 - 1 to 0', async () => {
      const top = 2 ** 31 - 1
      expect((await commit(1, [sent(top - 1, { offsets: 2 }), sent(0)])).verdicts).toEqual([appended(0), appended(2)])
      expect((await commit(2, [sent(1), sent(top - 1, { offsets: 2 })])).verdicts).toEqual([appended(3), duplicate(0)])
      const across = sent(top, { producerId: 8, offsets: 3 })
      expect((await commit(3, [across, sent(2, { producerId: 8 }), across])).verdicts).toEqual([appended(4), appended(7), duplicate(4)])
    })

    test('a producer with a young id begins at 0; one with an old or foreign id begins at any sequence', async () => {
      const young = await store.log.allocateProducerIds(10)
      const first = sent(5, { producerId: young + 9 })
      expect((await commit(1, [first])).verdicts).toEqual([outOfOrder])
      expect((await commit(2, [sent(0, { producerId: young + 9 })])).verdicts).toEqual([appended(0)])
      expect((await commit(3, [sent(5, { producerId: young + 10 })])).verdicts).toEqual([appended(1)])
      // With an expiration of 0 ms, every id is old and every window is forgotten.
      expect((await commit(4, [sent(5, { producerId: young })], { producerIdExpirationMs: -1 })).verdicts).toEqual([appended(2)])
      expect((await commit(5, [sent(9, { producerId: young })], { producerIdExpirationMs: -1 })).verdicts).toEqual([appended(3)])
    })

    test('C3: in a log that is younger than the producer id, a producer begins at any sequence', async () => {
      const producerId = await store.log.allocateProducerIds(1)
      const topicId = (await aTopic(store, { name: `again-${randomUUID()}`, partitions: 1 })).topicId
      expect((await commit(1, [sent(7, { producerId, topicId }), sent(8, { producerId, topicId })])).verdicts).toEqual([
        appended(0),
        appended(1),
      ])
      // From then on its sequence has no gaps, and an id that is younger than the new log begins at 0.
      const younger = await store.log.allocateProducerIds(1)
      expect((await commit(2, [sent(10, { producerId, topicId }), sent(3, { producerId: younger, topicId })])).verdicts).toEqual([
        outOfOrder,
        outOfOrder,
      ])
      // The older log is still protected from the first id.
      expect((await commit(3, [sent(7, { producerId })])).verdicts).toEqual([outOfOrder])
    })

    test('C3: partitions that were added after the producer id are younger than it; the earlier ones are not', async () => {
      const producerId = await store.log.allocateProducerIds(1)
      await store.topics.grow({ topicId: topic.topicId, partitions: 6, dryRun: false })
      expect((await commit(1, [sent(7, { producerId, partition: 5 }), sent(7, { producerId, partition: 0 })])).verdicts).toEqual([
        appended(0),
        outOfOrder,
      ])
    })

    test('C3: a producer whose window is forgotten begins at any sequence, however young its id is', async () => {
      const producerId = await store.log.allocateProducerIds(1)
      await commit(1, [sent(0, { producerId })])
      const forgotten = { producerIdExpirationMs: -1 }
      expect((await commit(2, [sent(7, { producerId })], forgotten)).verdicts).toEqual([appended(1)])
    })

    test('producer ids are allocated once', async () => {
      const blocks = await Promise.all(Array.from({ length: 8 }, () => store.log.allocateProducerIds(100)))
      const sorted = blocks.toSorted((a, b) => a - b)
      for (const [index, first] of sorted.entries()) if (index > 0) expect(first - (sorted[index - 1] ?? 0)).toBeGreaterThanOrEqual(100)
    })

    // ---- idempotency keys -----------------------------------------------------------------------------------------------------------

    test('an Idempotency-Key appends once; with another body it is rejected', async () => {
      const key = randomUUID()
      const keyed = (bodyHash: string, partitionNumber = 0): Partial<CommitBatch> => ({
        partition: partitionNumber,
        idempotency: { key, bodyHash, timestamp: 1234 },
      })
      await commit(1, [{ offsets: 4 }])
      expect((await commit(2, [keyed('one'), keyed('one'), keyed('two', 1)])).verdicts).toEqual([
        appended(4),
        { kind: 'duplicate', baseOffset: 4, timestamp: 1234, partition: 0 },
        { kind: 'rejected', reason: 'IDEMPOTENCY_KEY_REUSED' },
      ])
      expect((await commit(3, [keyed('two'), keyed('one')])).verdicts).toEqual([
        { kind: 'rejected', reason: 'IDEMPOTENCY_KEY_REUSED' },
        { kind: 'duplicate', baseOffset: 4, timestamp: 1234, partition: 0 },
      ])
      expect(await store.log.partitions([partition(0), partition(1)])).toMatchObject([{ highWatermark: 5 }, { highWatermark: 0 }])
    })

    test('a rejected batch leaves its Idempotency-Key unused', async () => {
      const idempotency = { key: randomUUID(), bodyHash: 'one', timestamp: 1 }
      expect((await commit(1, [{ epoch: 99, idempotency }])).verdicts).toEqual([notLeader])
      const young = await store.log.allocateProducerIds(1)
      expect((await commit(2, [sent(4, { producerId: young, idempotency })])).verdicts).toEqual([outOfOrder])
      expect((await commit(3, [{ idempotency: { ...idempotency, bodyHash: 'two' } }])).verdicts).toEqual([appended(0)])
    })

    // ---- find -----------------------------------------------------------------------------------------------------------------------

    const partition = (number: number): { readonly topicId: TopicId; readonly partition: number } => ({
      topicId: topic.topicId,
      partition: number,
    })

    test('find continues from the requested offset, across segments, up to its bounds', async () => {
      for (const sequence of [1, 2, 3, 4]) await commit(sequence, [{ offsets: 10 }, { partition: 1 }])
      const ask = (offset: number, more = {}) => ({ ...partition(0), offset, maxBytes: 1000, maxSegments: 10, ...more })
      const found = await store.log.find([
        ask(0),
        ask(15),
        ask(15, { maxBytes: 1 }),
        ask(0, { maxBytes: 150 }),
        ask(0, { maxSegments: 3 }),
        ask(40),
        { ...ask(0), partition: 3 },
        { ...ask(0), partition: 4 },
        { ...ask(2), partition: 1 },
      ])
      expect(found.map((one) => (one.kind === 'found' ? one.segments.map(({ baseOffset }) => baseOffset) : one.kind))).toEqual([
        [0, 10, 20, 30],
        [10, 20, 30],
        [10],
        [0, 10],
        [0, 10, 20],
        [],
        [],
        'unknown partition',
        [2, 3],
      ])
      expect(found[0]).toMatchObject({ logStartOffset: 0, highWatermark: 40, lastStableOffset: 40 })
      expect(found[2]).toMatchObject({
        segments: [{ objectKey: objectKey(store.clusterId, me.incarnation, 2), byteStart: 0, sizeBytes: 100 }],
      })
    })

    test('a time is found in the first segment that reaches it, also when timestamps go back', async () => {
      const stamps = [100, 300, 200, 300, 500, 400]
      for (const [index, maxTimestamp] of stamps.entries()) await commit(index + 1, [{ offsets: 10, maxTimestamp }])
      const at = [0, 100, 101, 300, 301, 500, 501].map((timestamp) => ({ ...partition(0), at: { kind: 'timestamp', timestamp } as const }))
      const found = await store.log.findByTime([
        ...at,
        { ...partition(0), at: { kind: 'max timestamp' } },
        { ...partition(1), at: { kind: 'max timestamp' } },
        { ...partition(9), at: { kind: 'max timestamp' } },
      ])
      expect(found.map((one) => (one.kind === 'found' ? one.segment?.baseOffset : one.kind))).toEqual([
        0,
        0,
        10,
        10,
        40,
        40,
        undefined,
        40,
        undefined,
        'unknown partition',
      ])
      expect(found[0]).toMatchObject({ highWatermark: 60 })
    })

    test('an empty request gets an empty answer', async () => {
      expect(await Promise.all([store.log.find([]), store.log.partitions([]), store.log.findByTime([]), store.topics.find({})])).toEqual([
        [],
        [],
        [],
        [],
      ])
    })

    // ---- members --------------------------------------------------------------------------------------------------------------------

    test('the first agent takes all slots; a second gets its own id and no slot of a living agent', async () => {
      expect(me).toMatchObject({ brokerId: 1 })
      expect(me.slots).toHaveLength(slotsOfNewCluster)
      expect(me.slots.every(({ owner, epoch }) => owner === me.incarnation.id && epoch === 1)).toBe(true)
      const other = await registered(store, 'other')
      expect(other.brokerId).toBe(2)
      expect(other.incarnation.id).not.toBe(me.incarnation.id)
      expect(other.slots).toEqual(me.slots)
      expect(
        (await store.members.beat(other.incarnation)).members.map((member) => [member.brokerId, member.agent, member.host, member.port]),
      ).toEqual([
        [1, 'me', 'localhost', 9092],
        [2, 'other', 'localhost', 9092],
      ])
    })

    test('repeating a registration gives the same answer', async () => {
      const input = anAgent('once')
      const first = await store.members.register(input)
      expect(await store.members.register(input)).toEqual(first)
    })

    test('a start under the same name fences the predecessor and takes its slots, each under a new epoch', async () => {
      await registered(store, 'other')
      const [watched] = await store.members.leases()
      const successor = await registered(store, 'me', watched === undefined ? [] : [watched])
      expect(successor.brokerId).toBe(me.brokerId)
      expect(successor.slots.every(({ owner, epoch }) => owner === successor.incarnation.id && epoch === 2)).toBe(true)
      expect((await store.members.beat(me.incarnation)).kind).toBe('fenced')
      expect((await store.members.beat(successor.incarnation)).kind).toBe('active')
      expect(await store.members.slots()).toEqual(successor.slots)
    })

    test('H11: the lease of a living agent is taken neither when it is not named nor when it has beaten since it was read', async () => {
      await store.members.beat(me.incarnation)
      const watched = await store.members.leases()
      expect(watched).toMatchObject([
        { incarnation: me.incarnation.id, agent: 'me', machine: 'laptop', host: 'localhost', port: 9092, beats: 1 },
      ])
      expect(watched[0]?.sinceMs).toBeGreaterThan(0)
      expect(await store.members.register(anAgent('me'))).toMatchObject({ kind: 'held', holder: { agent: 'me' } })
      await store.members.beat(me.incarnation)
      expect(await store.members.register(anAgent('me', watched))).toMatchObject({ kind: 'held', holder: { agent: 'me', beats: 2 } })
      expect((await store.members.beat(me.incarnation)).kind).toBe('active')
      expect(await store.members.slots()).toEqual(me.slots)
    })

    test('H11: an agent that is fenced under another name loses its slots, too, and living agents keep theirs', async () => {
      const leases = await store.members.leases()
      const other = await registered(store, 'other', leases)
      expect(other.slots.every(({ owner }) => owner === other.incarnation.id)).toBe(true)
      expect((await store.members.beat(me.incarnation)).kind).toBe('fenced')
      const third = await registered(store, 'third')
      expect(third.slots).toEqual(other.slots)
      expect((await store.members.leases()).map(({ agent }) => agent)).toEqual(['other', 'third'])
      const fourth = await registered(store, 'fourth', 'all')
      expect(fourth.slots.every(({ owner }) => owner === fourth.incarnation.id)).toBe(true)
      expect((await store.members.leases()).map(({ agent }) => agent)).toEqual(['fourth'])
    })

    test('an agent gives slots that it owns to agents that live, each under the next epoch; again it changes nothing more', async () => {
      const other = await registered(store, 'other')
      const { incarnation } = me
      const before = await store.members.slots()
      const version = (await store.members.beat(incarnation)).slotsVersion
      const to = other.incarnation.id
      const gifts = [0, 2].map((slot) => ({ slot, to }))
      const expected = before.map((one) => (one.slot === 0 || one.slot === 2 ? { slot: one.slot, owner: to, epoch: one.epoch + 1 } : one))
      expect(await store.members.give({ incarnation, gifts })).toEqual({ kind: 'given', given: 2, slots: expected })
      expect(await store.members.slots()).toEqual(expected)
      expect((await store.members.beat(incarnation)).slotsVersion).toBe(version + 1)
      expect(await store.members.give({ incarnation, gifts })).toEqual({ kind: 'given', given: 0, slots: expected })
      expect((await store.members.beat(incarnation)).slotsVersion).toBe(version + 1)
      // Neither what it does not own, nor to an agent that has ended, nor after its own end.
      expect(await store.members.give({ incarnation: other.incarnation, gifts: [{ slot: 1, to: me.incarnation.id }] })).toMatchObject({
        given: 0,
      })
      await store.members.leave(other.incarnation)
      expect(await store.members.give({ incarnation, gifts: [{ slot: 1, to }] })).toMatchObject({ kind: 'given', given: 0 })
      expect(await store.members.give({ incarnation: other.incarnation, gifts: [] })).toEqual({ kind: 'fenced' })
    })

    test('members have the rack with which they registered last', async () => {
      const racks = async (): Promise<readonly (string | null)[]> =>
        (await store.members.beat(me.incarnation)).members.map(({ rack }) => rack)
      expect(await racks()).toEqual([null])
      await store.members.register({ ...anAgent('other'), rack: 'zone-1' })
      expect(await racks()).toEqual([null, 'zone-1'])
      await store.members.register({ ...anAgent('other', 'own name'), rack: 'zone-2' })
      expect(await racks()).toEqual([null, 'zone-2'])
      await store.members.register(anAgent('other', 'own name'))
      expect(await racks()).toEqual([null, null])
    })

    test('a beat notes where the agent serves HTTP, and the next life of its name has not said it yet', async () => {
      const urls = { controlUrl: 'http://me:8000', dataUrl: 'http://me:8123' }
      expect((await store.members.beat(me.incarnation, urls)).members).toMatchObject([{ controlUrl: null, dataUrl: null }])
      expect((await store.members.beat(me.incarnation, urls)).members).toMatchObject([urls])
      const next = await registered(store, 'me', 'own name')
      expect((await store.members.beat(next.incarnation)).members).toMatchObject([{ controlUrl: null, dataUrl: null }])
    })

    test('a beat raises the counter, and reports when slots have changed', async () => {
      const first = await store.members.beat(me.incarnation)
      const second = await store.members.beat(me.incarnation)
      expect((second.members[0]?.beats ?? 0) - (first.members[0]?.beats ?? 0)).toBe(1)
      expect(second.slotsVersion).toBe(first.slotsVersion)
      await store.members.leave(me.incarnation)
      const third = await store.members.beat(me.incarnation)
      expect(third).toMatchObject({ kind: 'fenced', members: [] })
      expect(third.slotsVersion).toBeGreaterThan(second.slotsVersion)
    })

    test('an agent that leaves owns nothing, and the next agent takes the free slots', async () => {
      await commit(1, [{ offsets: 3 }])
      await store.members.leave(me.incarnation)
      await store.members.leave(me.incarnation)
      expect((await store.members.slots()).every(({ owner, epoch }) => owner === null && epoch === 1)).toBe(true)
      expect(await store.log.commit(aCommit(2, [{}]))).toEqual({ kind: 'fenced' })
      const other = await registered(store, 'other')
      expect(other.slots.every(({ owner, epoch }) => owner === other.incarnation.id && epoch === 2)).toBe(true)
      const slot = slotOfPartition(topic.topicId, 0, store.slots)
      expect(await store.log.partitions([partition(0)])).toMatchObject([{ owner: other.incarnation.id, epoch: other.slots[slot]?.epoch }])
    })

    test('H11: an agent takes the slots of the leases that it saw silent, and no others', async () => {
      const other = await registered(store, 'other')
      const third = await registered(store, 'third')
      const leases = await store.members.leases()
      expect(await store.members.take({ incarnation: other.incarnation, silent: [] })).toEqual({
        kind: 'taken',
        fenced: [],
        taken: 0,
        slots: me.slots,
      })
      await store.members.beat(third.incarnation)
      const before = await store.members.beat(other.incarnation)
      const watched = leases.filter(({ agent }) => agent !== 'other')
      const taken = await store.members.take({ incarnation: other.incarnation, silent: watched })
      expect(taken).toMatchObject({ kind: 'taken', fenced: [{ agent: 'me' }], taken: store.slots })
      const slots = await store.members.slots()
      expect(slots.every(({ owner, epoch }) => owner === other.incarnation.id && epoch === 2)).toBe(true)
      expect(taken.kind === 'taken' && taken.slots).toEqual(slots)
      expect((await store.members.beat(other.incarnation)).slotsVersion).toBeGreaterThan(before.slotsVersion)
      expect(await store.log.commit(aCommit(1, [{}]))).toEqual({ kind: 'fenced' })
      expect(await store.members.take({ incarnation: me.incarnation, silent: leases })).toEqual({ kind: 'fenced' })
      expect((await store.members.leases()).map(({ agent }) => agent)).toEqual(['other', 'third'])
    })

    test('an agent that names its own lease silent does not fence itself', async () => {
      const leases = await store.members.leases()
      expect(await store.members.take({ incarnation: me.incarnation, silent: leases })).toMatchObject({ fenced: [], taken: 0 })
      expect((await store.members.beat(me.incarnation)).kind).toBe('active')
    })

    test('an agent that leaves gives each slot to the agent with the fewest, under a new epoch, so that neighbours part', async () => {
      const [second, third] = [await registered(store, 'second'), await registered(store, 'third')]
      await store.members.leave(me.incarnation)
      const slots = await store.members.slots()
      const [b, c] = [second.incarnation.id, third.incarnation.id]
      expect(slots.map(({ owner }) => owner)).toEqual(slots.map((_, at) => (at % 2 === 0 ? b : c)))
      expect(slots.every(({ epoch }) => epoch === 2)).toBe(true)
    })

    test('every change of a topic or a config raises the version of the view', async () => {
      const version = async (): Promise<number> => (await store.members.beat(me.incarnation)).viewVersion
      const versions = [await version()]
      const made = await store.topics.create(newTopic({ name: 'seen' }))
      versions.push(await version())
      const topicId = made.kind === 'created' ? made.topic.topicId : ''
      await store.topics.grow({ topicId, partitions: 2, dryRun: false })
      versions.push(await version())
      await store.topics.changeConfigs({ name: 'seen', changes: setting('flush.ms', '5'), dryRun: false })
      versions.push(await version())
      await store.resources.change({ kind: 'client metrics', name: 'm', changes: setting('interval.ms', '500'), dryRun: false })
      versions.push(await version())
      await store.topics.delete(topicId)
      versions.push(await version())
      await store.topics.undelete(topicId)
      versions.push(await version())
      expect(versions).toEqual(versions.toSorted((a, b) => a - b))
      expect(new Set(versions).size).toBe(versions.length)
      await store.topics.create(newTopic({ name: 'seen' }))
      expect(await version()).toBe(versions.at(-1))
    })

    // ---- failures -------------------------------------------------------------------------------------------------------------------

    test('when the answer to COMMIT is lost, repeating the call gives the result of the first', async () => {
      const lossy = new LostReplies(database.sql)
      const agent = await reopened(store, lossy)
      const input = aCommit(1, [
        { offsets: 3 },
        sent(0),
        { partition: 1, idempotency: { key: randomUUID(), bodyHash: 'x', timestamp: 9 } },
        { partition: 99 },
      ])
      lossy.next = 1
      expect((await agent.log.commit(input)).kind).toBe('unknown')
      const again = await agent.log.commit(input)
      expect(again).toEqual({ kind: 'committed', result: lossy.lost.at(-1) !== undefined ? resultOf(lossy.lost.at(-1)) : undefined })
      expect(await store.log.partitions([partition(0)])).toMatchObject([{ highWatermark: 4 }])
    })

    test('every other transaction resolves a lost answer itself', async () => {
      const lossy = new LostReplies(database.sql)
      const agent = await reopened(store, lossy)
      lossy.next = 1
      expect(await agent.topics.create(newTopic({ name: 'lossy' }))).toMatchObject({ kind: 'created' })
      lossy.next = 2
      expect(await agent.topics.grow({ topicId: topic.topicId, partitions: 8, dryRun: false })).toMatchObject({ kind: 'grown' })
      lossy.next = 1
      expect(await agent.topics.delete(topic.topicId)).toBe('deleted')
      lossy.next = 2
      const other = await registered(agent, 'lossy')
      expect(other.brokerId).toBe(2)
      expect((await agent.members.beat(other.incarnation)).members).toHaveLength(2)
      lossy.next = 1
      await agent.members.leave(other.incarnation)
      expect((await agent.members.beat(me.incarnation)).members).toHaveLength(1)
    })

    test('while the database is away, a transaction is rejected as unavailable after its deadline', async () => {
      const away: Sql<Transactions> = {
        run: async () => ({ kind: 'rolled back', error: new MetadataError('unavailable', 'away', { reason: 'unreachable' }) }),
        close: async () => {},
      }
      const { clock, stop } = runningClock()
      const begun = clock.now()
      await expect(openMetadata(away, { newClusterId: randomUUID(), clock, random: steadyRandom() })).rejects.toMatchObject({
        kind: 'unavailable',
        reason: 'unreachable',
      })
      stop()
      expect(clock.now() - begun).toBeGreaterThan(defaultLimits.metadataDeadlineMs / 2)
    })

    test('N4: a full disk is reported at once', async () => {
      let tries = 0
      const full: Sql<Transactions> = {
        run: async () => {
          tries += 1
          return { kind: 'unknown', error: new MetadataError('unavailable', 'full', { reason: 'disk full' }) }
        },
        close: async () => {},
      }
      await expect(openMetadata(full, { newClusterId: randomUUID(), clock: systemClock, random: systemRandom })).rejects.toMatchObject({
        reason: 'disk full',
      })
      expect(tries).toBe(1)
    })

    test('many concurrent calls are each done exactly once', async () => {
      const topics = await Promise.all(
        Array.from({ length: 20 }, (_, index) => store.topics.create(newTopic({ name: `at-once-${index}`, partitions: 3 }))),
      )
      expect(topics.every(({ kind }) => kind === 'created')).toBe(true)
      const all = topics.flatMap((one) =>
        one.kind === 'created' ? [0, 1, 2].map((number) => ({ topicId: one.topic.topicId, partition: number })) : [],
      )
      const states = await store.log.partitions(all)
      expect(new Set(states.map((state) => state?.logId)).size).toBe(60)
    })
  })
}

const notLeader: Verdict = { kind: 'rejected', reason: 'NOT_LEADER_OR_FOLLOWER' }

function offsetsOf({ verdicts }: CommitResult): readonly (number | undefined)[] {
  return verdicts.map((verdict) => (verdict.kind === 'appended' ? verdict.baseOffset : undefined))
}

function resultOf(lost: unknown): unknown {
  return (lost as { result: unknown }).result
}

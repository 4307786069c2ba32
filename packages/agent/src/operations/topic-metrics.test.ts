// The metrics of topics and groups, in front of a whole agent; and how often they are read, what is shared, and what is left out.
import { KafkaError, OffsetCommit, Produce } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { aBatch, anAgent } from '../api/testing/an-agent.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Metric } from '../observe/metric.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { Turns } from '../time/turns.ts'
import type { GroupPartition } from './group-partitions.ts'
import {
  groupsWithLag,
  lagsWithMetrics,
  partitionsWithMetrics,
  TopicMetrics,
  type TopicMetricsParts,
  topicsWithMetrics,
} from './topic-metrics.ts'

const of = (metrics: readonly Metric[], name: string): Metric['samples'] => metrics.find((one) => one.name === name)?.samples ?? []

test('records, bytes, ends and lag of a real topic and group', async () => {
  await using kafka = await anAgent()
  await kafka.topic('orders')
  const produce = async (index: number, ...values: readonly string[]): Promise<unknown> =>
    await kafka.call(Produce, 9, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 'orders', partitionData: [{ index, records: aBatch([...values]) }] }],
    })
  await produce(0, 'a', 'b', 'c')
  await kafka.call(OffsetCommit, 8, {
    groupId: 'billing',
    memberId: '',
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
  })
  const metrics = await kafka.agent.operations.topicMetrics.read()
  const topic = { topic: 'orders' }
  expect(of(metrics, 'lks_topics')).toEqual([{ labels: {}, value: 1 }])
  expect(of(metrics, 'lks_topic_records')).toEqual([{ labels: topic, value: 3 }])
  expect(of(metrics, 'lks_topic_appended_total')).toEqual([{ labels: topic, value: 3 }])
  expect(of(metrics, 'lks_topic_bytes')).toEqual([{ labels: topic, value: aBatch(['a', 'b', 'c']).length }])
  expect(of(metrics, 'lks_groups')).toEqual([{ labels: {}, value: 1 }])
  expect(of(metrics, 'lks_group_members')).toEqual([{ labels: { group: 'billing' }, value: 0 }])
  expect(of(metrics, 'lks_group_lag')).toEqual([{ labels: { group: 'billing', topic: 'orders' }, value: 2 }])
})

interface Fake extends TopicMetricsParts {
  readonly clock: ManualClock
  readonly reads: { counts: number; bytes: number; lists: number }
}

function aFake({
  topics = [],
  groups = [],
  lagsOf = {},
  ...parts
}: Partial<Pick<TopicMetricsParts, 'records' | 'reportsTopics'>> & {
  readonly topics?: readonly Topic[]
  readonly groups?: readonly string[]
  readonly lagsOf?: Readonly<Record<string, number>>
} = {}): Fake {
  const reads = { counts: 0, bytes: 0, lists: 0 }
  const clock = new ManualClock()
  return {
    reads,
    clock,
    turns: new Turns(clock),
    topics: { list: async () => topics },
    records: {
      counts: async (asked, { bytes }) => {
        if (bytes) reads.bytes += 1
        else reads.counts += 1
        return asked.map(() => ({ records: 1, appended: 2, ...(bytes && { bytes: 3 }) }))
      },
    },
    groups: {
      list: async () => {
        reads.lists += 1
        return groups.map((groupId) => ({ groupId, state: 'Empty' as const }))
      },
      describe: async (groupId) => {
        if (groupId === 'moved') throw new KafkaError('NOT_COORDINATOR')
        if (groupId === 'deleted') return { kind: 'error', code: 69, message: 'There is no such group.' }
        const described = { groupId, state: 'Empty', protocolType: '', protocolName: '', generation: 0, leader: '' } as const
        const partitions = Array.from({ length: lagsOf[groupId] ?? 0 }, (_, at) => aLag(`t${at}`))
        return { kind: 'ok', value: { ...described, members: [], partitions, lag: 0 } }
      },
    },
    reportsTopics: () => true,
    ...parts,
  }
}

const aLag = (topic: string): GroupPartition => ({
  topic,
  partition: 0,
  committed: undefined,
  start: 0,
  end: 1,
  lag: 1,
  memberId: undefined,
})

const aTopic = (name: string, partitions = 1): Topic =>
  ({ topicId: name, name, partitions, configs: {}, createdAtMs: 0 }) as unknown as Topic

test('scrapes share their reads, which are made again when they are old', async () => {
  const fake = aFake({ topics: [aTopic('t')] })
  const metrics = new TopicMetrics(fake)
  await Promise.all([metrics.read(), metrics.read()])
  await metrics.read()
  expect(fake.reads).toEqual({ counts: 1, bytes: 1, lists: 1 })
  await fake.clock.advance(10_000)
  await metrics.read()
  expect(fake.reads).toEqual({ counts: 2, bytes: 1, lists: 2 })
  await fake.clock.advance(50_000)
  await metrics.read()
  expect(fake.reads).toEqual({ counts: 3, bytes: 2, lists: 3 })
})

test('a read that fails is made again by the next scrape', async () => {
  let fails = true
  const counts: TopicMetricsParts['records']['counts'] = async (asked) => {
    if (fails) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    return asked.map(() => ({ records: 1, appended: 1, bytes: 1 }))
  }
  const metrics = new TopicMetrics(aFake({ topics: [aTopic('t')], records: { counts } }))
  await expect(metrics.read()).rejects.toThrow(KafkaError)
  fails = false
  expect(of(await metrics.read(), 'lks_topic_records')).toHaveLength(1)
})

test('a group that was deleted or has moved is left out', async () => {
  const metrics = await new TopicMetrics(aFake({ groups: ['deleted', 'kept', 'moved'] })).read()
  expect(of(metrics, 'lks_group_members')).toEqual([{ labels: { group: 'kept' }, value: 0 }])
})

test('another agent reports the topics', async () => {
  const metrics = await new TopicMetrics(aFake({ topics: [aTopic('t')], groups: ['g'], reportsTopics: () => false })).read()
  expect(metrics.map(({ name }) => name)).toEqual(['lks_groups', 'lks_group_members', 'lks_group_lag'])
})

test('the count of topics, partitions and groups with metrics is bounded, and the totals are not', async () => {
  const topics = Array.from({ length: topicsWithMetrics + 50 }, (_, n) => aTopic(`t${n}`, n === 0 ? partitionsWithMetrics - 100 : 1))
  const groups = Array.from({ length: groupsWithLag + 50 }, (_, n) => `g${n}`)
  const metrics = await new TopicMetrics(aFake({ topics, groups })).read()
  expect(of(metrics, 'lks_topic_records')).toHaveLength(101)
  expect(of(metrics, 'lks_group_members')).toHaveLength(groupsWithLag)
  expect([of(metrics, 'lks_topics')[0]?.value, of(metrics, 'lks_groups')[0]?.value]).toEqual([topics.length, groups.length])
})

test('the count of lags is bounded, and long groups are added up in several turns', async () => {
  let turnCount = 0
  const turns = new Turns({
    soon(callback) {
      turnCount += 1
      setImmediate(callback)
    },
  })
  const metrics = await new TopicMetrics({
    ...aFake({ groups: ['long', 'wide'], lagsOf: { long: 100, wide: lagsWithMetrics } }),
    turns,
  }).read()
  expect(of(metrics, 'lks_group_lag')).toHaveLength(lagsWithMetrics)
  expect(of(metrics, 'lks_group_members')).toHaveLength(2)
  expect(turnCount).toBeGreaterThan(10)
})

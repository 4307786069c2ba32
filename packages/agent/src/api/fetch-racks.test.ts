// Fetch and Metadata for consumers in racks (KIP-392): two agents in memory, of which the first leads every partition.
import { DescribeCluster, DescribeTopicPartitions, Fetch, Metadata, Produce, type RequestInputOf } from '@local-kafka-service/protocol'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { must } from '../core/assert.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import { codeOf } from './access.ts'
import { type AgentForTests, aBatch, anAgent, baseOffsets } from './testing/an-agent.ts'

let leader: AgentForTests
let reader: AgentForTests
/** The reads of the second agent from the store, by object. */
const reads = new Map<string, number>()
beforeAll(async () => {
  leader = await anAgent(inRack('a', 'leader'))
  await leader.topic('t', 2)
  await produceTo('t', [0, 1])
  reader = await anAgent({ ...inRack('b', 'reader'), beside: leader, wrap: counting })
  // Its next heartbeat.
  await vi.waitFor(() => expect([...leader.services.owners.members]).toHaveLength(2), { timeout: 10_000 })
})
afterAll(async () => {
  await reader[Symbol.asyncDispose]()
  await leader[Symbol.asyncDispose]()
})

function inRack(rack: string, name: string) {
  return { settings: { 'broker.rack': { value: rack, source: 'flag' }, 'agent.name': { value: name, source: 'flag' } } } as const
}

/** One flush with a record for each partition. */
async function produceTo(name: string, partitions: readonly number[]): Promise<void> {
  const partitionData = partitions.map((index) => ({ index, records: aBatch(['v']) }))
  const produced = await leader.call(Produce, 9, { acks: -1, timeoutMs: 10_000, topicData: [{ name, partitionData }] })
  expect(new Set(produced.responses[0]?.partitionResponses.map(({ errorCode }) => errorCode))).toEqual(new Set([0]))
}

function counting(objects: ObjectStore): ObjectStore {
  return {
    put: (key, body, signal) => objects.put(key, body, signal),
    remove: (keys, signal) => objects.remove(keys, signal),
    list: (prefix, options) => objects.list(prefix, options),
    close: () => objects.close(),
    read(key, range, signal) {
      reads.set(key, (reads.get(key) ?? 0) + 1)
      return objects.read(key, range, signal)
    },
  }
}

/** A fetch that waits a minute for records if there are none. */
async function fetched(kafka: AgentForTests, rackId: string, { offset = 0, version = 12 } = {}) {
  const partitions = [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1_000_000 }]
  const request = { maxWaitMs: 60_000, minBytes: 1, rackId, topics: [{ topic: 't', partitions }] }
  const { responses } = await kafka.call(Fetch, version, request)
  return must(responses[0]?.partitions[0], 'the answer of the partition')
}

test.each([11, 12])(
  'a consumer of another rack is sent to the agent there, at once and without records, also at the end of the log (Fetch %i)',
  async (version) => {
    for (const offset of [0, 1]) {
      const partition = await fetched(leader, 'b', { offset, version })
      const ends = { highWatermark: 1, lastStableOffset: 1, logStartOffset: 0 }
      expect(partition).toMatchObject({ errorCode: 0, preferredReadReplica: reader.agent.brokerId, abortedTransactions: null, ...ends })
      expect(partition.records).toHaveLength(0)
    }
  },
)

test.each(['a', 'c', ''])('a consumer of the rack %j reads from the leader', async (rackId) => {
  const partition = await fetched(leader, rackId)
  expect(partition).toMatchObject({ errorCode: 0, preferredReadReplica: -1 })
  expect(baseOffsets(partition.records)).toEqual([0])
})

test('a consumer is not sent on for an offset that does not exist', async () => {
  for (const offset of [2, -1])
    expect(await fetched(leader, 'b', { offset })).toMatchObject({ errorCode: codeOf('OFFSET_OUT_OF_RANGE'), preferredReadReplica: -1 })
})

test.each(['a', 'b', ''])('an agent that does not lead the partition serves a consumer of the rack %j', async (rackId) => {
  const partition = await fetched(reader, rackId)
  expect(partition).toMatchObject({ errorCode: 0, preferredReadReplica: -1 })
  expect(baseOffsets(partition.records)).toEqual([0])
})

test('a session repeats where to fetch from, although nothing has changed', async () => {
  const topics = [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }]
  const ask: RequestInputOf<typeof Fetch> = { maxWaitMs: 0, minBytes: 0, rackId: 'b', sessionEpoch: 0, topics }
  const { sessionId } = await leader.call(Fetch, 12, ask)
  expect(sessionId).toBeGreaterThan(0)
  const again = await leader.call(Fetch, 12, { ...ask, sessionId, sessionEpoch: 1, topics: [] })
  expect(again.responses[0]?.partitions).toMatchObject([{ partitionIndex: 0, preferredReadReplica: reader.agent.brokerId }])
})

test('clients see the rack of each agent, and the reader of each rack as a replica in sync, alike from both agents', async () => {
  const ids = [leader, reader].map(({ agent }) => agent.brokerId)
  const racks = ids.map((id, at) => [id, at === 0 ? 'a' : 'b'])
  const replicas = { leaderId: ids[0], replicaNodes: ids, isrNodes: ids, offlineReplicas: [] }
  for (const kafka of [leader, reader]) {
    const { brokers, topics } = await kafka.call(Metadata, 12, { topics: [{ name: 't' }] })
    expect(brokers.map(({ nodeId, rack }) => [nodeId, rack])).toEqual(racks)
    expect(topics[0]?.partitions).toMatchObject([replicas, replicas])
    const described = await kafka.call(DescribeTopicPartitions, 0, { topics: [{ name: 't' }], cursor: null })
    expect(described.topics[0]?.partitions).toMatchObject([replicas, replicas])
    const cluster = await kafka.call(DescribeCluster, 2, { includeClusterAuthorizedOperations: false })
    expect(cluster.brokers.map(({ brokerId, rack }) => [brokerId, rack])).toEqual(racks)
  }
})

test('the reader of a rack requests each object once, for all its partitions and all their consumers', async () => {
  const partitions = Array.from({ length: 8 }, (_, partition) => partition)
  await leader.topic('fanned-out', partitions.length)
  for (let flush = 0; flush < 5; flush += 1) await produceTo('fanned-out', partitions)
  reads.clear()
  const consumers = partitions.map(async (partition) => {
    const asked = { partition, fetchOffset: 0, partitionMaxBytes: 1_000_000 }
    const topics = [{ topic: 'fanned-out', partitions: [asked] }]
    for (let times = 0; times < 3; times += 1) {
      const { responses } = await reader.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, rackId: 'b', topics })
      expect(baseOffsets(responses[0]?.partitions[0]?.records ?? null)).toEqual([0, 1, 2, 3, 4])
    }
  })
  await Promise.all(consumers)
  expect([...reads.values()]).toEqual([1, 1, 1, 1, 1])
})

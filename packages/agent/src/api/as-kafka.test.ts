// The codes and texts of Apache Kafka 4.3 that tools show. test/e2e/differential compares them with Kafka itself; these tests need no Kafka.
import {
  CreatePartitions,
  CreateTopics,
  DescribeCluster,
  DescribeConfigs,
  DescribeTopicPartitions,
  errors,
  Fetch,
  FindCoordinator,
  InitProducerId,
  ListOffsets,
  Metadata,
  Produce,
  type RequestInputOf,
  zeroUuid,
} from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import { aBatch, anAgent } from './testing/an-agent.ts'

type NewTopic = RequestInputOf<typeof CreateTopics>['topics'][number]

const unknownId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const manual = (...assignments: readonly (readonly [number, readonly number[]])[]): Partial<NewTopic> => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: assignments.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
})

describe('CreateTopics', () => {
  test.each<readonly [string, (me: number) => Partial<NewTopic>, string]>([
    ['0 partitions', () => ({ numPartitions: 0 }), 'Number of partitions was set to an invalid non-positive value.'],
    ['replication factor 0', () => ({ replicationFactor: 0 }), 'Replication factor must be larger than 0, or -1 to use the default value.'],
    [
      'an assignment and a number of partitions',
      (me) => ({ ...manual([0, [me]]), numPartitions: 1 }),
      'A manual partition assignment was specified, but numPartitions was not set to -1.',
    ],
    [
      'an assignment and a replication factor',
      (me) => ({ ...manual([0, [me]]), replicationFactor: 1 }),
      'A manual partition assignment was specified, but replication factor was not set to -1.',
    ],
    ['a gap', (me) => manual([0, [me]], [2, [me]]), 'partitions should be a consecutive 0-based integer sequence'],
    ['a partition twice', (me) => manual([0, [me]], [0, [me]]), 'Found multiple manual partition assignments for partition 0'],
    ['no broker', () => manual([0, []]), 'The manual partition assignment includes an empty replica list.'],
    ['an unknown broker', () => manual([0, [77]]), 'The manual partition assignment includes broker 77, but no such broker is registered.'],
    [
      'a config without a value',
      () => ({ configs: [{ name: 'retention.ms', value: null }] }),
      'Null value not supported for topic configs: retention.ms',
    ],
    [
      'a long name',
      () => ({ name: 'x'.repeat(250) }),
      `Topic name is invalid: the length of '${'x'.repeat(250)}' is longer than the max allowed length 249`,
    ],
  ])('%s', async (_, topic, text) => {
    await using kafka = await anAgent()
    const defaults = { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const { topics } = await kafka.call(CreateTopics, 7, { topics: [{ ...defaults, ...topic(kafka.agent.brokerId) }] })
    expect(topics[0]?.errorMessage).toBe(text)
    expect(await kafka.services.topics.list()).toHaveLength(0)
  })
})

describe('CreatePartitions', () => {
  test.each<readonly [string, object, string | null]>([
    ['as many', { count: 3 }, 'Topic already has 3 partition(s).'],
    ['fewer', { count: 2 }, 'The topic t currently has 3 partition(s); 2 would not be an increase.'],
    [
      'too few assignments',
      { count: 5, assignments: [{ brokerIds: [1] }] },
      'Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.',
    ],
    ['a missing topic', { name: 'missing' }, null],
  ])('%s', async (_, topic, text) => {
    await using kafka = await anAgent()
    await kafka.topic('t', 3)
    const topics = [{ name: 't', count: 4, assignments: null, ...topic }]
    const { results } = await kafka.call(CreatePartitions, 3, { topics, timeoutMs: 1000, validateOnly: false })
    expect(results[0]?.errorCode).not.toBe(0)
    expect(results[0]?.errorMessage).toBe(text)
  })
})

test('a Metadata request with an id ignores names, so that no topic is described twice', async () => {
  await using kafka = await anAgent()
  const topicId = await kafka.topic('t')
  const topics = [{ name: 't' }, { name: 'missing' }, { name: null, topicId }, { name: null, topicId: unknownId }]
  const answer = await kafka.call(Metadata, 12, { topics })
  expect(answer.topics).toMatchObject([
    { name: 't', topicId, errorCode: 0 },
    { name: null, topicId: unknownId, errorCode: errors.UNKNOWN_TOPIC_ID.code },
  ])
})

test('a wrong endpoint type is rejected with a text that names it, and with the type of this endpoint', async () => {
  await using kafka = await anAgent()
  const answer = await kafka.call(DescribeCluster, 1, { includeClusterAuthorizedOperations: false, endpointType: 9 })
  expect(answer).toMatchObject({ errorMessage: 'Unsupported endpoint type 9', endpointType: 1 })
})

test('the text of no error is empty in DescribeConfigs and FindCoordinator, and NONE in older versions of FindCoordinator', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const resources = [{ resourceType: 2, resourceName: 't', configurationKeys: null }]
  expect((await kafka.call(DescribeConfigs, 4, { resources })).results[0]?.errorMessage).toBe('')
  expect((await kafka.call(FindCoordinator, 4, { coordinatorKeys: ['g'] })).coordinators[0]?.errorMessage).toBe('')
  expect((await kafka.call(FindCoordinator, 3, { key: 'g' })).errorMessage).toBe('NONE')
})

test('a cursor at a topic that the request does not name is rejected', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const request = { topics: [{ name: 't' }], cursor: { topicName: 's', partitionIndex: 0 } }
  expect((await kafka.call(DescribeTopicPartitions, 0, request)).topics).toMatchObject([{ errorCode: errors.INVALID_REQUEST.code }])
})

test.each([
  { producerId: 7, producerEpoch: -1 },
  { producerId: -1, producerEpoch: 0 },
])('InitProducerId rejects a producer id without an epoch, and the reverse: $producerId, $producerEpoch', async (half) => {
  await using kafka = await anAgent()
  const answer = await kafka.call(InitProducerId, 5, { transactionalId: null, transactionTimeoutMs: 1000, ...half })
  expect(answer).toMatchObject({ errorCode: errors.INVALID_REQUEST.code, producerId: -1 })
})

test('Produce, Fetch and ListOffsets answer an illegal name like an unknown topic', async () => {
  await using kafka = await anAgent()
  const name = 'a b'
  const unknown = errors.UNKNOWN_TOPIC_OR_PARTITION.code
  const topicData = [{ name, partitionData: [{ index: 0, records: aBatch(['v']) }] }]
  const produced = await kafka.call(Produce, 9, { acks: 1, timeoutMs: 1000, topicData })
  expect(produced.responses[0]?.partitionResponses[0]?.errorCode).toBe(unknown)
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }]
  const fetched = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, topics: [{ topic: name, partitions }] })
  expect(fetched.responses[0]?.partitions[0]).toMatchObject({ errorCode: unknown, abortedTransactions: [] })
  const listed = await kafka.call(ListOffsets, 7, { replicaId: -1, topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }] })
  expect(listed.topics[0]?.partitions[0]?.errorCode).toBe(unknown)
})

test('the answers of Produce and ListOffsets leave out topics without partitions', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const topicData = [{ name: 't', partitionData: [] }]
  expect((await kafka.call(Produce, 9, { acks: 1, timeoutMs: 1000, topicData })).responses).toEqual([])
  expect((await kafka.call(ListOffsets, 7, { replicaId: -1, topics: [{ name: 't', partitions: [] }] })).topics).toEqual([])
})

test("record errors come with the topic's exact range of timestamps, and with the start of the log", async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const timestamp = 4_102_444_800_000
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: aBatch(['v'], { timestamp }) }] }]
  const { responses } = await kafka.call(Produce, 9, { acks: 1, timeoutMs: 1000, topicData })
  const answer = responses[0]?.partitionResponses[0]
  expect(answer).toMatchObject({ errorMessage: 'One or more records have been rejected due to invalid timestamp', logStartOffset: 0 })
  const [, from = '', until = ''] = /within \[(-?\d+), (\d+)\]$/.exec(answer?.recordErrors[0]?.batchIndexErrorMessage ?? '') ?? []
  // By default before.max.ms is the largest int64, and after.max.ms is an hour.
  expect(BigInt(until) - BigInt(from)).toBe(2n ** 63n - 1n + 3_600_000n)
})

test('a zero id counts as no id', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const { topics } = await kafka.call(Metadata, 12, { topics: [{ name: 't', topicId: zeroUuid }] })
  expect(topics).toMatchObject([{ name: 't', errorCode: 0 }])
})

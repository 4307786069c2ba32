// The rules of the APIs that create, change, delete and describe topics, over a whole agent in memory.
import {
  CreatePartitions,
  DeleteTopics,
  DescribeTopicPartitions,
  type KafkaErrorName,
  Metadata,
  zeroUuid,
} from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { codeOf } from './access.ts'
import { type AgentForTests, anAgent } from './testing/an-agent.ts'
import { aTopic, created, type NewTopic } from './testing/new-topics.ts'

const assigned = (...brokerIds: readonly (readonly number[])[]) => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: brokerIds.map((ids, partitionIndex) => ({ partitionIndex, brokerIds: ids })),
})

describe('CreateTopics', () => {
  test('answers the new topic: its id, its partitions, and every effective config with its source', async () => {
    await using kafka = await anAgent()
    const [topic] = await created(kafka, [aTopic({ numPartitions: 3, configs: [{ name: 'max.message.bytes', value: '2000' }] })])
    expect(topic).toMatchObject({ name: 't', errorCode: 0, numPartitions: 3, replicationFactor: 1 })
    expect(topic?.topicId).not.toBe(zeroUuid)
    expect(topic?.configs).toContainEqual({
      name: 'max.message.bytes',
      value: '2000',
      readOnly: false,
      configSource: 1,
      isSensitive: false,
    })
    expect(topic?.configs).toContainEqual(expect.objectContaining({ name: 'cleanup.policy', value: 'delete', configSource: 5 }))
  })

  test('-1 partitions and -1 replicas mean the defaults', async () => {
    await using kafka = await anAgent({ settings: { 'num.partitions': { value: '4', source: 'flag' } } })
    const [topic] = await created(kafka, [aTopic({ numPartitions: -1, replicationFactor: -1 })])
    expect(topic).toMatchObject({ errorCode: 0, numPartitions: 4, replicationFactor: 1 })
  })

  test('one request creates a limited number of partitions; only the topics beyond the limit are rejected', async () => {
    await using kafka = await anAgent()
    const topics = ['a', 'b', 'c'].map((name) => aTopic({ name, numPartitions: fixedLimits.partitionsPerTopic }))
    const answers = await created(kafka, [...topics, aTopic({ name: 'd', numPartitions: -5 })], { validateOnly: true })
    expect(answers.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', codeOf('INVALID_PARTITIONS')],
      ['d', codeOf('INVALID_PARTITIONS')],
    ])
  })

  test('validateOnly creates nothing', async () => {
    await using kafka = await anAgent()
    expect(await created(kafka, [aTopic()], { validateOnly: true })).toMatchObject([{ errorCode: 0, topicId: zeroUuid, numPartitions: 1 }])
    expect(await kafka.services.topics.list()).toEqual([])
  })

  test.each<readonly [string, Partial<NewTopic>, KafkaErrorName]>([
    ['no replicas', { replicationFactor: 0 }, 'INVALID_REPLICATION_FACTOR'],
    ['no partitions', { numPartitions: 0 }, 'INVALID_PARTITIONS'],
    ['-2 partitions', { numPartitions: -2 }, 'INVALID_PARTITIONS'],
    ['a bad name', { name: 'a b' }, 'INVALID_TOPIC_EXCEPTION'],
    ['an empty name', { name: '' }, 'INVALID_TOPIC_EXCEPTION'],
    ['an unknown config', { configs: [{ name: 'no.such', value: '1' }] }, 'INVALID_CONFIG'],
    ['a config that is not implemented', { configs: [{ name: 'remote.storage.enable', value: 'true' }] }, 'INVALID_CONFIG'],
    ['a null config', { configs: [{ name: 'max.message.bytes', value: null }] }, 'INVALID_CONFIG'],
    ['an assignment and a number of partitions', { ...assigned([1]), numPartitions: 1 }, 'INVALID_REQUEST'],
    ['an assignment to two brokers', assigned([1, 2]), 'INVALID_REPLICA_ASSIGNMENT'],
    ['an assignment to no broker', assigned([]), 'INVALID_REPLICA_ASSIGNMENT'],
    ['an assignment to an unknown broker', assigned([77]), 'INVALID_REPLICA_ASSIGNMENT'],
    [
      'an assignment with a gap',
      { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 1, brokerIds: [1] }] },
      'INVALID_REPLICA_ASSIGNMENT',
    ],
  ])('%s is rejected with a text', async (_, more, error) => {
    await using kafka = await anAgent()
    const [topic] = await created(kafka, [aTopic(more)])
    expect(topic).toMatchObject({ errorCode: codeOf(error), topicId: zeroUuid })
    expect(topic?.errorMessage).toMatch(/\w+ \w+/)
    expect(await kafka.services.topics.list()).toEqual([])
  })

  test('a manual assignment sets the number of partitions', async () => {
    await using kafka = await anAgent()
    const self = kafka.agent.brokerId
    expect(await created(kafka, [aTopic(assigned([self], [self]))])).toMatchObject([{ errorCode: 0, numPartitions: 2 }])
  })

  test('rejects a name that exists, one that collides and one that occurs twice; the others are created', async () => {
    await using kafka = await anAgent()
    await kafka.topic('a.b')
    const topics = await created(kafka, [
      aTopic({ name: 'a.b' }),
      aTopic({ name: 'a_b' }),
      aTopic({ name: 'twice' }),
      aTopic({ name: 'twice' }),
      aTopic({ name: 'fine' }),
    ])
    expect(Object.fromEntries(topics.map(({ name, errorCode }) => [name, errorCode]))).toEqual({
      'a.b': codeOf('TOPIC_ALREADY_EXISTS'),
      a_b: codeOf('INVALID_TOPIC_EXCEPTION'),
      twice: codeOf('INVALID_REQUEST'),
      fine: 0,
    })
    expect(topics).toHaveLength(4)
  })
})

describe('DeleteTopics', () => {
  test('deletes by name and by id', async () => {
    await using kafka = await anAgent()
    const [first, second] = [await kafka.topic('a'), await kafka.topic('b')]
    const { responses } = await kafka.call(DeleteTopics, 6, {
      topics: [{ name: 'a', topicId: zeroUuid }, { topicId: second }],
      timeoutMs: 1000,
    })
    expect(responses).toMatchObject([
      { name: 'a', topicId: first, errorCode: 0 },
      { name: 'b', topicId: second, errorCode: 0 },
    ])
    expect(await kafka.services.topics.list()).toEqual([])
  })

  test('rejects an unknown topic, one that occurs twice, and one with a name and an id', async () => {
    await using kafka = await anAgent()
    const topicId = await kafka.topic('both')
    await kafka.topic('twice')
    const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ'
    const named = (name: string) => ({ name, topicId: zeroUuid })
    const topics = [named('nowhere'), { topicId: unknown }, { name: 'both', topicId }, named('twice'), named('twice')]
    const { responses } = await kafka.call(DeleteTopics, 6, { topics, timeoutMs: 1000 })
    expect(responses.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])).toEqual([
      [codeOf('INVALID_REQUEST'), 'Duplicate topic name.'],
      [codeOf('UNKNOWN_TOPIC_OR_PARTITION'), 'This server does not host this topic-partition.'],
      [codeOf('UNKNOWN_TOPIC_ID'), 'This server does not host this topic ID.'],
      [codeOf('INVALID_REQUEST'), 'You may not specify both topic name and topic id.'],
    ])
    expect(await kafka.services.topics.list()).toHaveLength(2)
  })

  test('a topic that one entry gives by name and another by id is not deleted', async () => {
    await using kafka = await anAgent()
    const topicId = await kafka.topic('t')
    const topics = [
      { name: 't', topicId: zeroUuid },
      { name: null, topicId },
    ]
    const { responses } = await kafka.call(DeleteTopics, 6, { topics, timeoutMs: 1000 })
    const errorMessage = 'The provided topic name maps to an ID that was already supplied.'
    expect(responses).toEqual([{ name: 't', topicId, errorCode: codeOf('INVALID_REQUEST'), errorMessage }])
    expect(await kafka.services.topics.list()).toHaveLength(1)
  })

  test('an id that occurs twice is rejected once', async () => {
    await using kafka = await anAgent()
    const topicId = await kafka.topic('t')
    const { responses } = await kafka.call(DeleteTopics, 6, { topics: [{ topicId }, { topicId }], timeoutMs: 1000 })
    expect(responses.map(({ errorCode }) => errorCode)).toEqual([codeOf('INVALID_REQUEST')])
    expect(await kafka.services.topics.list()).toHaveLength(1)
  })

  test('a topic that is created again has another id', async () => {
    await using kafka = await anAgent()
    const first = await kafka.topic('t')
    await kafka.call(DeleteTopics, 5, { topicNames: ['t'], timeoutMs: 1000 })
    expect(await kafka.topic('t')).not.toBe(first)
  })
})

describe('CreatePartitions', () => {
  const growing = (count: number, more: object = {}) => ({ topics: [{ name: 't', count, assignments: null, ...more }], timeoutMs: 1000 })

  test('raises the number, never lowers it', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t', 2)
    const up = await kafka.call(CreatePartitions, 3, { ...growing(5), validateOnly: false })
    expect(up.results).toMatchObject([{ name: 't', errorCode: 0 }])
    const same = await kafka.call(CreatePartitions, 3, { ...growing(5), validateOnly: false })
    expect(same.results).toMatchObject([{ errorCode: codeOf('INVALID_PARTITIONS') }])
    expect(await kafka.services.topics.list()).toMatchObject([{ name: 't', partitions: 5 }])
  })

  test('validateOnly changes nothing', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t', 2)
    const { results } = await kafka.call(CreatePartitions, 3, { ...growing(5), validateOnly: true })
    expect(results).toMatchObject([{ errorCode: 0 }])
    expect(await kafka.services.topics.list()).toMatchObject([{ partitions: 2 }])
  })

  test('assignments must be for the new partitions, each to one live broker', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t', 2)
    const self = { brokerIds: [kafka.agent.brokerId] }
    const tried = async (assignments: readonly { readonly brokerIds: readonly number[] }[]): Promise<number | undefined> =>
      (await kafka.call(CreatePartitions, 3, { ...growing(4, { assignments }), validateOnly: false })).results[0]?.errorCode
    expect(await tried([self])).toBe(codeOf('INVALID_REPLICA_ASSIGNMENT'))
    expect(await tried([self, { brokerIds: [77] }])).toBe(codeOf('INVALID_REPLICA_ASSIGNMENT'))
    expect(await kafka.services.topics.list()).toMatchObject([{ partitions: 2 }])
    expect(await tried([self, self])).toBe(0)
  })

  test('rejects an unknown topic, and one that occurs twice', async () => {
    await using kafka = await anAgent()
    const topic = (name: string) => ({ name, count: 2, assignments: null })
    const request = { topics: [topic('nowhere'), topic('twice'), topic('twice')], timeoutMs: 1000, validateOnly: false }
    const { results } = await kafka.call(CreatePartitions, 3, request)
    expect(Object.fromEntries(results.map(({ name, errorCode }) => [name, errorCode]))).toEqual({
      nowhere: codeOf('UNKNOWN_TOPIC_OR_PARTITION'),
      twice: codeOf('INVALID_REQUEST'),
    })
  })
})

describe('Metadata', () => {
  test('answers this agent as the controller, under the address that the client connected to', async () => {
    await using kafka = await anAgent()
    const answer = await kafka.call(Metadata, 9, { topics: [] })
    const nodeId = kafka.agent.brokerId
    expect(answer).toMatchObject({ controllerId: nodeId, clusterId: kafka.agent.clusterId, topics: [] })
    expect(answer.brokers).toEqual([{ nodeId, host: 'kafka.test', port: 9092, rack: null }])
  })

  test('every partition has this agent as leader, with its epoch', async () => {
    await using kafka = await anAgent()
    const topicId = await kafka.topic('t', 2)
    const { topics } = await kafka.call(Metadata, 12, { topics: [{ name: 't' }] })
    const nodeId = kafka.agent.brokerId
    expect(topics).toMatchObject([{ errorCode: 0, name: 't', topicId, isInternal: false }])
    expect(topics[0]?.partitions).toMatchObject(
      [0, 1].map((partitionIndex) => ({ errorCode: 0, partitionIndex, leaderId: nodeId, replicaNodes: [nodeId], isrNodes: [nodeId] })),
    )
    expect(topics[0]?.partitions[0]?.leaderEpoch).toBeGreaterThanOrEqual(0)
  })

  test.each([
    ['null, in version 1', 1, null, 2],
    ['an empty list, in version 0', 0, [], 2],
    ['an empty list, in version 1', 1, [], 0],
  ])('%s', async (_, version, topics, count) => {
    await using kafka = await anAgent()
    await kafka.topic('a')
    await kafka.topic('b')
    expect((await kafka.call(Metadata, version, { topics })).topics).toHaveLength(count)
  })

  test('a missing topic is created only if the request and the setting allow it', async () => {
    await using kafka = await anAgent()
    const asked = async (name: string, allowAutoTopicCreation: boolean): Promise<number | undefined> =>
      (await kafka.call(Metadata, 9, { topics: [{ name }], allowAutoTopicCreation })).topics[0]?.errorCode
    expect(await asked('no', false)).toBe(codeOf('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(await asked('yes', true)).toBe(0)
    expect(await asked('not legal!', true)).toBe(codeOf('INVALID_TOPIC_EXCEPTION'))
    expect((await kafka.services.topics.list()).map(({ name }) => name)).toEqual(['yes'])
    await using strict = await anAgent({ settings: { 'auto.create.topics.enable': { value: 'false', source: 'flag' } } })
    const { topics } = await strict.call(Metadata, 9, { topics: [{ name: 'x' }], allowAutoTopicCreation: true })
    expect(topics[0]?.errorCode).toBe(codeOf('UNKNOWN_TOPIC_OR_PARTITION'))
  })

  test('a missing topic is not created for a client without the right to', async () => {
    await using kafka = await anAgent()
    const gate = { authorize: (_context: unknown, operation: string) => operation !== 'CREATE', throttle: () => 0 }
    const { topics } = await kafka.call(Metadata, 9, { topics: [{ name: 'x' }] }, { services: { gate } })
    expect(topics[0]?.errorCode).toBe(codeOf('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(await kafka.services.topics.list()).toEqual([])
  })

  test('answers topics by id from version 12 on; an unknown one is UNKNOWN_TOPIC_ID', async () => {
    await using kafka = await anAgent()
    const topicId = await kafka.topic('t')
    const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ'
    const topics = [topicId, unknown].map((id) => ({ topicId: id, name: null }))
    expect((await kafka.call(Metadata, 12, { topics })).topics).toMatchObject([
      { errorCode: 0, name: 't', topicId },
      { errorCode: codeOf('UNKNOWN_TOPIC_ID'), name: null, topicId: unknown },
    ])
    expect((await kafka.call(Metadata, 10, { topics })).topics).toMatchObject([
      { errorCode: codeOf('INVALID_REQUEST') },
      { errorCode: codeOf('INVALID_REQUEST') },
    ])
  })

  test('answers authorized operations only on request', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    const plain = await kafka.call(Metadata, 9, { topics: [{ name: 't' }] })
    expect(plain.topics[0]?.topicAuthorizedOperations).toBe(-0x8000_0000)
    const asked = { topics: [{ name: 't' }], includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true }
    const full = await kafka.call(Metadata, 9, asked)
    // READ WRITE CREATE DELETE ALTER DESCRIBE DESCRIBE_CONFIGS ALTER_CONFIGS: the answer of a broker that allows everything.
    expect(full.topics[0]?.topicAuthorizedOperations).toBe(0b1101_1111_1000)
    expect(full.clusterAuthorizedOperations).toBe(0b1_1111_1010_0000)
  })
})

describe('DescribeTopicPartitions', () => {
  const describedBy = (kafka: AgentForTests, limit: number, more: object = {}) =>
    kafka.call(DescribeTopicPartitions, 0, { topics: [], responsePartitionLimit: limit, ...more })

  test('the pages contain all topics in order of name', async () => {
    await using kafka = await anAgent()
    await kafka.topic('b', 3)
    await kafka.topic('a', 2)
    const seen: string[] = []
    let cursor: { readonly topicName: string; readonly partitionIndex: number } | null = null
    let pages = 0
    do {
      const page = await describedBy(kafka, 2, { cursor })
      for (const { partitions } of page.topics) expect(partitions).not.toHaveLength(0)
      for (const { name, partitions } of page.topics) for (const { partitionIndex } of partitions) seen.push(`${name}-${partitionIndex}`)
      cursor = page.nextCursor
      pages += 1
    } while (cursor !== null)
    expect(seen).toEqual(['a-0', 'a-1', 'b-0', 'b-1', 'b-2'])
    expect(pages).toBe(3)
  })

  test('answers only the topics of the request; an unknown one has an error', async () => {
    await using kafka = await anAgent()
    await kafka.topic('a')
    await kafka.topic('b')
    const { topics, nextCursor } = await describedBy(kafka, 10, { topics: [{ name: 'x' }, { name: 'b' }] })
    expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['b', 0],
      ['x', codeOf('UNKNOWN_TOPIC_OR_PARTITION')],
    ])
    expect(nextCursor).toBeNull()
    expect(topics[0]?.partitions[0]).toMatchObject({ eligibleLeaderReplicas: [], lastKnownElr: [] })
  })

  test('a cursor at a negative partition is rejected', async () => {
    await using kafka = await anAgent()
    const { topics } = await describedBy(kafka, 10, { topics: [{ name: 'x' }], cursor: { topicName: 'x', partitionIndex: -1 } })
    expect(topics).toMatchObject([{ errorCode: codeOf('INVALID_REQUEST') }])
  })
})

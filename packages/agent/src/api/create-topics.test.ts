// The answers of CreateTopics in which clients depend on Kafka's order of checks and values: existing topics, unlimited retention, internal topics.
import { CreateTopics, DescribeConfigs, Metadata } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { codeOf } from './access.ts'
import type { Gate } from './gate.ts'
import { anAgent } from './testing/an-agent.ts'
import { aTopic, created, type NewTopic } from './testing/new-topics.ts'

test.each<readonly [string, Partial<NewTopic>]>([
  ['no partitions', { numPartitions: 0 }],
  ['more partitions than one request may create', { numPartitions: fixedLimits.partitionsPerRequest + 1 }],
  ['a replication factor of 0', { replicationFactor: 0 }],
  [
    'an assignment to an unknown broker',
    { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [9] }] },
  ],
  ['an unknown config', { configs: [{ name: 'segment.mz', value: '1' }] }],
  ['a null config', { configs: [{ name: 'retention.ms', value: null }] }],
])('C18: a topic that exists is TOPIC_ALREADY_EXISTS first, also with %s', async (_, wrong) => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  for (const validateOnly of [false, true])
    expect(await created(kafka, [aTopic(wrong)], { validateOnly })).toMatchObject([{ errorCode: codeOf('TOPIC_ALREADY_EXISTS') }])
  const [other] = await created(kafka, [aTopic({ ...wrong, name: 'other' })])
  expect([0, codeOf('TOPIC_ALREADY_EXISTS')]).not.toContain(other?.errorCode)
})

test('C18: a client that may not create a topic does not learn whether it exists', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const gate: Gate = { authorize: () => false, throttle: () => 0 }
  for (const name of ['t', 'other']) {
    const { topics } = await kafka.call(CreateTopics, 7, { topics: [aTopic({ name, replicationFactor: 3 })] }, { services: { gate } })
    expect(topics).toMatchObject([{ errorCode: codeOf('TOPIC_AUTHORIZATION_FAILED') }])
  }
})

test('any replication factor is kept, and shown in the answer; Metadata lists the agents that there are', async () => {
  await using kafka = await anAgent()
  const { brokerId } = kafka.services.owners
  const assignments = [0, 1].map((partitionIndex) => ({ partitionIndex, brokerIds: [brokerId] }))
  expect(
    await created(kafka, [
      aTopic({ name: 'three', replicationFactor: 3 }),
      aTopic({ name: 'many', replicationFactor: 32_767 }),
      aTopic({ name: 'default', replicationFactor: -1 }),
      aTopic({ name: 'assigned', replicationFactor: -1, numPartitions: -1, assignments }),
    ]),
  ).toMatchObject([3, 32_767, 1, 1].map((replicationFactor) => ({ errorCode: 0, replicationFactor })))
  const found = await kafka.metadata.topics.find({ names: ['three', 'many', 'default'] })
  expect(Object.fromEntries(found.map(({ name, replicationFactor }) => [name, replicationFactor]))).toEqual({
    three: 3,
    many: 32_767,
    default: 1,
  })
  const { topics } = await kafka.call(Metadata, 12, { topics: [{ name: 'three' }] })
  expect(topics[0]?.partitions).toMatchObject([{ replicaNodes: [brokerId], isrNodes: [brokerId] }])
})

test('two agents are the replicas of a topic with a replication factor of 2, and can be assigned', async () => {
  await using first = await anAgent({ settings: { 'agent.name': { value: 'first', source: 'flag' } } })
  await using second = await anAgent({ beside: first, settings: { 'agent.name': { value: 'second', source: 'flag' } }, port: 9093 })
  await expect.poll(() => [...first.services.owners.members].length, { timeout: 10_000 }).toBe(2)
  const [one, two] = [first, second].map(({ services }) => services.owners.brokerId)
  const assigned = (brokerIds: readonly (readonly (number | undefined)[])[]): Partial<NewTopic> => ({
    numPartitions: -1,
    replicationFactor: -1,
    assignments: brokerIds.map((ids, partitionIndex) => ({ partitionIndex, brokerIds: ids.map((id) => id ?? -1) })),
  })
  expect(
    await created(first, [
      aTopic({ name: 'factor', replicationFactor: 2 }),
      aTopic({
        name: 'assigned',
        ...assigned([
          [one, two],
          [two, one],
        ]),
      }),
      aTopic({ name: 'uneven', ...assigned([[one, two], [one]]) }),
    ]),
  ).toMatchObject([
    { errorCode: 0, replicationFactor: 2 },
    { errorCode: 0, replicationFactor: 2 },
    { errorCode: codeOf('INVALID_REPLICA_ASSIGNMENT'), errorMessage: expect.stringContaining('not consistent with previous partitions') },
  ])
  const { topics } = await first.call(Metadata, 12, { topics: [{ name: 'factor' }] })
  expect(topics[0]?.partitions[0]?.isrNodes.toSorted((a, b) => a - b)).toEqual([one, two])
})

test('C7: unlimited retention is stored and described exactly as the client sent it', async () => {
  await using kafka = await anAgent()
  const sent = { 'retention.ms': '9223372036854775807', 'retention.bytes': '-1', 'cleanup.policy': 'delete' }
  const configs = Object.entries(sent).map(([name, value]) => ({ name, value }))
  expect(await created(kafka, [aTopic({ configs })])).toMatchObject([{ errorCode: 0 }])
  const resource = { resourceType: 2, resourceName: 't', configurationKeys: Object.keys(sent) }
  const { results } = await kafka.call(DescribeConfigs, 4, { resources: [resource] })
  expect(Object.fromEntries(results[0]?.configs.map(({ name, value }) => [name, value]) ?? [])).toEqual(sent)
})

test.each(['9223372036854775808', '9.2e18', '-2'])('C7: retention.ms=%s is not valid', async (value) => {
  await using kafka = await anAgent()
  expect(await created(kafka, [aTopic({ configs: [{ name: 'retention.ms', value }] })])).toMatchObject([
    { errorCode: codeOf('INVALID_CONFIG') },
  ])
})

test.each(['__consumer_offsets', '__transaction_state', '__share_group_state', '__cluster_metadata'])(
  'C8: neither Metadata nor CreateTopics creates %s',
  async (name) => {
    await using kafka = await anAgent()
    for (const version of [0, 4, 12]) {
      const { topics } = await kafka.call(Metadata, version, {
        topics: [{ name }],
        ...(version >= 4 && { allowAutoTopicCreation: true }),
      })
      expect(topics).toMatchObject([{ errorCode: codeOf('UNKNOWN_TOPIC_OR_PARTITION'), name }])
    }
    expect(await created(kafka, [aTopic({ name })])).toMatchObject([
      { errorCode: codeOf('INVALID_REQUEST'), errorMessage: `Creation of internal topic ${name} is prohibited.` },
    ])
    expect(await kafka.services.topics.list()).toEqual([])
  },
)

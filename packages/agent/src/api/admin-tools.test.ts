// What Kafka's own tools ask beside topics and groups: sizes, producers, elections, reassignments, the quorum.
import {
  AlterReplicaLogDirs,
  DescribeLogDirs,
  DescribeProducers,
  DescribeQuorum,
  ElectLeaders,
  InitProducerId,
  ListPartitionReassignments,
  Produce,
  UnregisterBroker,
} from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { codeOf } from './access.ts'
import type { Gate } from './gate.ts'
import { type AgentForTests, aBatch, anAgent } from './testing/an-agent.ts'

async function produced(kafka: AgentForTests, topic: string, records: Uint8Array): Promise<void> {
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const { responses } = await kafka.call(Produce, 9, { acks: -1, timeoutMs: 1_000, topicData })
  expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
}

test('DescribeLogDirs answers the exact size of each partition, of those that exist', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 2)
  await kafka.topic('other')
  const batch = aBatch(['one', 'two'])
  await produced(kafka, 't', batch)
  await produced(kafka, 't', batch)
  const sizes = async (topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[] | null) => {
    const { errorCode, results } = await kafka.call(DescribeLogDirs, 5, { topics })
    expect([errorCode, results.length, results[0]?.logDir]).toEqual([0, 1, 'object-store'])
    return results[0]?.topics.flatMap(({ name, partitions }) => partitions.map((one) => [name, one.partitionIndex, one.partitionSize]))
  }
  expect(
    await sizes([
      { topic: 't', partitions: [0, 1, 7] },
      { topic: 'absent', partitions: [0] },
    ]),
  ).toEqual([
    ['t', 0, 2 * batch.length],
    ['t', 1, 0],
  ])
  expect(await sizes(null)).toEqual([
    ['other', 0, 0],
    ['t', 0, 2 * batch.length],
    ['t', 1, 0],
  ])
  expect(await sizes([])).toEqual([])
})

test('DescribeProducers answers what a partition remembers of an idempotent producer', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const { producerId } = await kafka.call(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1_000 })
  await produced(kafka, 't', aBatch(['one', 'two'], { producer: { id: producerId, epoch: 0, baseSequence: 0 } }))
  const { topics } = await kafka.call(DescribeProducers, 0, {
    topics: [
      { name: 't', partitionIndexes: [0, 7] },
      { name: 'absent', partitionIndexes: [0] },
    ],
  })
  const unknown = { errorCode: codeOf('UNKNOWN_TOPIC_OR_PARTITION'), activeProducers: [] }
  expect(topics.map(({ partitions }) => partitions)).toMatchObject([
    [{ errorCode: 0, activeProducers: [{ producerId, producerEpoch: 0, lastSequence: 1, coordinatorEpoch: -1 }] }, unknown],
    [unknown],
  ])
})

test('nothing is elected, reassigned or moved to another directory', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const elected = await kafka.call(ElectLeaders, 2, { electionType: 0, topicPartitions: null })
  expect(elected).toMatchObject({ errorCode: 0, replicaElectionResults: [{ topic: 't', partitionResult: [] }] })
  expect(await kafka.call(ListPartitionReassignments, 0, { topics: null })).toMatchObject({ errorCode: 0, topics: [] })
  const topics = [{ name: 't', partitions: [0, 7] }]
  const moved = async (path: string) => {
    const { results } = await kafka.call(AlterReplicaLogDirs, 2, { dirs: [{ path, topics }] })
    return results.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  }
  expect(await moved('object-store')).toEqual([0, codeOf('UNKNOWN_TOPIC_OR_PARTITION')])
  expect(await moved('/tmp')).toEqual([codeOf('LOG_DIR_NOT_FOUND'), codeOf('LOG_DIR_NOT_FOUND')])
})

test('the quorum is this agent, and a running agent is not unregistered', async () => {
  await using kafka = await anAgent()
  const { brokerId } = kafka.agent
  const quorum = await kafka.call(DescribeQuorum, 2, { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] })
  expect(quorum.topics[0]?.partitions).toMatchObject([{ errorCode: 0, leaderId: brokerId, currentVoters: [{ replicaId: brokerId }] }])
  expect(quorum.nodes).toMatchObject([{ nodeId: brokerId, listeners: [{ host: 'kafka.test', port: 9092 }] }])
  expect(await kafka.call(UnregisterBroker, 0, { brokerId })).toMatchObject({ errorCode: codeOf('INVALID_REQUEST') })
  expect(await kafka.call(UnregisterBroker, 0, { brokerId: 77 })).toMatchObject({ errorCode: codeOf('BROKER_ID_NOT_REGISTERED') })
})

test('a client without rights gets the error of its whole request, or of each topic', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const gate: Gate = { authorize: () => false, throttle: () => 0 }
  const options = { services: { gate } }
  expect(await kafka.call(DescribeLogDirs, 3, { topics: null }, options)).toMatchObject({
    errorCode: codeOf('CLUSTER_AUTHORIZATION_FAILED'),
    results: [],
  })
  const { topics } = await kafka.call(DescribeProducers, 0, { topics: [{ name: 't', partitionIndexes: [0] }] }, options)
  expect(topics[0]?.partitions).toMatchObject([{ errorCode: codeOf('TOPIC_AUTHORIZATION_FAILED') }])
})

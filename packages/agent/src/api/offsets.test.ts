// The rules of ListOffsets, OffsetForLeaderEpoch and InitProducerId, over a whole agent in memory.
import { InitProducerId, type KafkaErrorName, ListOffsets, OffsetForLeaderEpoch, Produce } from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import { codeOf } from './access.ts'
import { type AgentForTests, aBatch, anAgent } from './testing/an-agent.ts'

/** One batch of one record for each timestamp. */
async function fill(kafka: AgentForTests, timestamps: readonly number[]): Promise<void> {
  for (const timestamp of timestamps) {
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: aBatch(['v'], { timestamp }) }] }]
    const { responses } = await kafka.call(Produce, 9, { acks: -1, timeoutMs: 10_000, topicData })
    expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
  }
}

async function listed(kafka: AgentForTests, version: number, timestamp: number, more: object = {}) {
  const partitions = [{ partitionIndex: 0, timestamp, ...more }]
  const { topics } = await kafka.call(ListOffsets, version, { replicaId: -1, topics: [{ name: 't', partitions }] })
  return topics[0]?.partitions[0]
}

describe('ListOffsets', () => {
  const none = { errorCode: 0, offset: -1, timestamp: -1 }
  test.each<readonly [string, number, object]>([
    ['the end', -1, { errorCode: 0, offset: 3, timestamp: -1 }],
    ['the start', -2, { errorCode: 0, offset: 0, timestamp: -1 }],
    ['the largest timestamp', -3, { errorCode: 0, offset: 1, timestamp: 3_000 }],
    ['the local start, which equals the start', -4, { errorCode: 0, offset: 0 }],
    ['tiered storage, which does not exist here', -5, { ...none, leaderEpoch: -1 }],
    ['uploads to tiered storage, which does not exist here', -6, { ...none, leaderEpoch: -1 }],
    ['the first record since a time', 1_500, { errorCode: 0, offset: 1, timestamp: 3_000 }],
    ['exactly a time', 1_000, { errorCode: 0, offset: 0, timestamp: 1_000 }],
    ['later than all', 3_001, { ...none, leaderEpoch: -1 }],
  ])('%s', async (_, timestamp, answer) => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    await fill(kafka, [1_000, 3_000, 2_000])
    expect(await listed(kafka, 11, timestamp)).toMatchObject(answer)
  })

  test.each([
    [-3, 6],
    [-4, 7],
    [-5, 8],
    [-6, 10],
    [-7, 11],
  ])('timestamp %d is not known in version %d', async (timestamp, version) => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    expect(await listed(kafka, version, timestamp)).toMatchObject({ errorCode: codeOf('UNSUPPORTED_VERSION'), offset: -1 })
  })

  test('an empty log starts and ends at 0', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    expect(await listed(kafka, 11, -1)).toMatchObject({ errorCode: 0, offset: 0 })
    expect(await listed(kafka, 11, -3)).toMatchObject(none)
  })

  test.each<readonly [string, object, KafkaErrorName]>([
    ['an older leader epoch', { currentLeaderEpoch: 0 }, 'FENCED_LEADER_EPOCH'],
    ['a newer leader epoch', { currentLeaderEpoch: 1000 }, 'UNKNOWN_LEADER_EPOCH'],
    ['a partition that is not there', { partitionIndex: 9 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
  ])('%s is rejected', async (_, more, error) => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    expect(await listed(kafka, 11, -1, more)).toMatchObject({ errorCode: codeOf(error) })
  })

  test('a partition that occurs twice is rejected once; the others are answered', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t', 2)
    const partitions = [0, 1, 0].map((partitionIndex) => ({ partitionIndex, timestamp: -1 }))
    const { topics } = await kafka.call(ListOffsets, 5, { replicaId: -1, topics: [{ name: 't', partitions }] })
    const invalid = codeOf('INVALID_REQUEST')
    expect(topics[0]?.partitions.map(({ errorCode }) => errorCode)).toEqual([invalid, 0])
  })

  test('a topic that another agent deleted is unknown, and leaves the catalog', async () => {
    await using kafka = await anAgent()
    const topicId = await kafka.topic('t')
    await kafka.metadata.topics.delete(topicId)
    expect(await listed(kafka, 11, -1)).toMatchObject({ errorCode: codeOf('UNKNOWN_TOPIC_OR_PARTITION') })
    expect(kafka.services.catalog.byId(topicId)).toBeUndefined()
  })
})

describe('OffsetForLeaderEpoch', () => {
  async function ended(kafka: AgentForTests, leaderEpoch: number, more: object = {}) {
    const partitions = [{ partition: 0, leaderEpoch, ...more }]
    const { topics } = await kafka.call(OffsetForLeaderEpoch, 4, { topics: [{ topic: 't', partitions }] })
    return topics[0]?.partitions[0]
  }

  test('every epoch up to the current one ends where the log ends; a later one is unknown', async () => {
    await using kafka = await anAgent()
    const topicId = await kafka.topic('t')
    await fill(kafka, [1, 2])
    const { epoch } = kafka.services.owners.ofPartition(topicId, 0)
    expect(await ended(kafka, epoch)).toMatchObject({ errorCode: 0, leaderEpoch: epoch, endOffset: 2 })
    expect(await ended(kafka, 0)).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 2 })
    expect(await ended(kafka, epoch + 1)).toMatchObject({ errorCode: 0, leaderEpoch: -1, endOffset: -1 })
    expect(await ended(kafka, -1)).toMatchObject({ errorCode: 0, leaderEpoch: -1, endOffset: -1 })
  })

  test.each<readonly [string, object, KafkaErrorName]>([
    ['an older leader epoch', { currentLeaderEpoch: 0 }, 'FENCED_LEADER_EPOCH'],
    ['a newer leader epoch', { currentLeaderEpoch: 1000 }, 'UNKNOWN_LEADER_EPOCH'],
    ['a partition that is not there', { partition: 9 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
  ])('%s is rejected', async (_, more, error) => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    expect(await ended(kafka, 0, more)).toMatchObject({ errorCode: codeOf(error), endOffset: -1 })
  })
})

describe('InitProducerId', () => {
  test('every idempotent producer gets a new id with epoch 0, even if it had an id before', async () => {
    await using kafka = await anAgent()
    const first = await kafka.call(InitProducerId, 5, { transactionalId: null, transactionTimeoutMs: 0 })
    const again = { transactionalId: null, transactionTimeoutMs: 0, producerId: first.producerId, producerEpoch: 0 }
    const second = await kafka.call(InitProducerId, 5, again)
    expect([first, second]).toMatchObject([
      { errorCode: 0, producerEpoch: 0 },
      { errorCode: 0, producerEpoch: 0 },
    ])
    expect(second.producerId).not.toBe(first.producerId)
  })

  test('an empty transactional id is rejected', async () => {
    await using kafka = await anAgent()
    const answer = await kafka.call(InitProducerId, 5, { transactionalId: '', transactionTimeoutMs: 1000 })
    expect(answer).toMatchObject({ errorCode: codeOf('INVALID_REQUEST'), producerId: -1, producerEpoch: -1 })
  })
})

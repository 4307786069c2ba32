// The rules of DeleteRecords over a whole agent in memory: from its answer on, no client finds what was deleted.
import { DeleteRecords, type DeleteRecordsRequest, Fetch, ListOffsets, Produce } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { MetadataError } from '../metadata/metadata-store.ts'
import { RecordDeletion } from '../operations/record-deletion.ts'
import { codeOf } from './access.ts'
import { type AgentForTests, aBatch, anAgent } from './testing/an-agent.ts'

async function produce(kafka: AgentForTests, timestamp: number, values: readonly string[]): Promise<void> {
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: aBatch(values, { timestamp }) }] }]
  const { responses } = await kafka.call(Produce, 9, { acks: -1, timeoutMs: 10_000, topicData })
  expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
}

async function deleted(kafka: AgentForTests, topics: DeleteRecordsRequest['topics']) {
  const answer = await kafka.call(DeleteRecords, 2, { topics, timeoutMs: 1_000 })
  return answer.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, lowWatermark, errorCode }) => [name, partitionIndex, lowWatermark, errorCode]),
  )
}

const before = (offset: number, partitionIndex = 0, name = 't') => ({ name, partitions: [{ partitionIndex, offset }] })

async function listed(kafka: AgentForTests, timestamp: number): Promise<number | undefined> {
  const { topics } = await kafka.call(ListOffsets, 8, {
    replicaId: -1,
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }],
  })
  return topics[0]?.partitions[0]?.offset
}

async function fetched(kafka: AgentForTests, fetchOffset: number) {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 100_000 }]
  const { responses } = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }] })
  const one = responses[0]?.partitions[0]
  return [one?.errorCode, one?.logStartOffset, (one?.records?.length ?? 0) > 0]
}

test('records before the offset are gone at once, for every client and from every search', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 2)
  for (const timestamp of [1_000, 9_000, 2_000]) await produce(kafka, timestamp, ['a', 'b', 'c', 'd'])
  expect(await fetched(kafka, 0)).toEqual([0, 0, true])
  expect(await listed(kafka, 1_500)).toBe(4)
  expect(await deleted(kafka, [before(6)])).toEqual([['t', 0, 6, 0]])
  const outOfRange = codeOf('OFFSET_OUT_OF_RANGE')
  expect(await fetched(kafka, 5)).toEqual([outOfRange, -1, false])
  expect(await fetched(kafka, 6)).toEqual([0, 6, true])
  expect([await listed(kafka, -2), await listed(kafka, -4), await listed(kafka, -1)]).toEqual([6, 6, 12])
  expect([await listed(kafka, 1_500), await listed(kafka, -3)]).toEqual([6, 6])
  // The batch with the largest timestamp is gone; the segment of the start had it.
  expect(await deleted(kafka, [before(8)])).toEqual([['t', 0, 8, 0]])
  expect([await listed(kafka, 1_500), await listed(kafka, -3), await listed(kafka, 5_000)]).toEqual([8, 8, -1])
  expect(await deleted(kafka, [before(-1)])).toEqual([['t', 0, 12, 0]])
  expect([await listed(kafka, -2), await listed(kafka, -1), await listed(kafka, -3)]).toEqual([12, 12, -1])
  expect(await fetched(kafka, 12)).toEqual([0, 12, false])
})

test('an offset that one batch has is found after the start, also when the record before it had the time', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  await produce(kafka, 9_000, ['a', 'b'])
  await produce(kafka, 3_000, ['c'])
  // Offset 1 is left of the first batch. All of its records have the time 9000.
  expect(await deleted(kafka, [before(1)])).toEqual([['t', 0, 1, 0]])
  expect([await listed(kafka, 5_000), await listed(kafka, 2_000)]).toEqual([1, 1])
})

test('what cannot be deleted has its error, and the rest of the request is done', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 2)
  await produce(kafka, 1_000, ['a', 'b'])
  const topics = [
    { name: 't', partitions: [0, 1, 7].map((partitionIndex) => ({ partitionIndex, offset: 1 })) },
    before(1, 0, 'missing'),
    before(1, 0, '__consumer_offsets'),
    before(0, 0, 'a b'),
  ]
  const [unknown, range] = [codeOf('UNKNOWN_TOPIC_OR_PARTITION'), codeOf('OFFSET_OUT_OF_RANGE')]
  expect(await deleted(kafka, topics)).toEqual([
    ['t', 0, 1, 0],
    ['t', 1, -1, range],
    ['t', 7, -1, unknown],
    ['missing', 0, -1, unknown],
    ['__consumer_offsets', 0, -1, unknown],
    ['a b', 0, -1, unknown],
  ])
  // An offset before the start changes nothing, -2 is not a valid offset, and of two offsets for one partition the last one counts.
  expect(await deleted(kafka, [before(0)])).toEqual([['t', 0, 1, 0]])
  expect(await deleted(kafka, [before(-2)])).toEqual([['t', 0, -1, range]])
  expect(await deleted(kafka, [before(-2), before(2)])).toEqual([['t', 0, 2, 0]])
})

test('without an answer of the database, memory forgets the starts that it knew', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  await produce(kafka, 1_000, ['a', 'b'])
  expect(await fetched(kafka, 0)).toEqual([0, 0, true])
  const { log } = kafka.metadata
  const lossy = new RecordDeletion({
    ...kafka.services,
    publishStart: () => {},
    log: {
      partitions: (asked) => log.partitions(asked),
      deleteRecords: async (owner, asks) => {
        await log.deleteRecords(owner, asks)
        throw new MetadataError('unavailable', 'the answer was lost')
      },
    },
  })
  const request = { topics: [before(2)], timeoutMs: 1_000 }
  const answer = await kafka.call(DeleteRecords, 2, request, { services: { recordDeletion: lossy } })
  expect(answer.topics[0]?.partitions[0]).toMatchObject({ lowWatermark: -1 })
  expect(answer.topics[0]?.partitions[0]?.errorCode).not.toBe(0)
  expect(await fetched(kafka, 0)).toEqual([codeOf('OFFSET_OUT_OF_RANGE'), -1, false])
})

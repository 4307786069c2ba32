// The rules of Fetch, over a whole agent in memory.
import { Fetch, type FetchRequest, type KafkaErrorName, Produce, type RequestInputOf } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { defaultLimits } from '../limits.ts'
import { type ObjectStore, ObjectStoreError } from '../objects/object-store.ts'
import { orAborted } from '../time/abort.ts'
import { codeOf } from './access.ts'
import { type AgentForTests, aBatch, anAgent, baseOffsets, takenOver } from './testing/an-agent.ts'

type Input = RequestInputOf<typeof Fetch>

async function fill(kafka: AgentForTests, partition: number, values: readonly string[]): Promise<void> {
  for (const value of values) {
    const topicData = [{ name: 't', partitionData: [{ index: partition, records: aBatch([value]) }] }]
    const { responses } = await kafka.call(Produce, 9, { acks: -1, timeoutMs: 10_000, topicData })
    expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
  }
}

function asked(
  partition: number,
  more: Partial<FetchRequest['topics'][number]['partitions'][number]> = {},
): Input['topics'][number]['partitions'][number] {
  return { partition, fetchOffset: 0, partitionMaxBytes: 1_000_000, ...more }
}

function aFetch(partitions: Input['topics'][number]['partitions'], more: Partial<Input> = {}): Input {
  return { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }], ...more }
}

/** Lets all pending promise callbacks run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function fetched(kafka: AgentForTests, request: Input, version = 12) {
  const response = await kafka.call(Fetch, version, request)
  return response.responses.flatMap(({ partitions }) => partitions)
}

test('a fetch answers whole batches with their final offsets, from the batch that contains the fetch offset', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  await fill(kafka, 0, ['a', 'b', 'c'])
  const [partition] = await fetched(kafka, aFetch([asked(0, { fetchOffset: 1 })]))
  expect(partition).toMatchObject({ errorCode: 0, highWatermark: 3, lastStableOffset: 3, logStartOffset: 0, preferredReadReplica: -1 })
  expect(baseOffsets(partition?.records ?? null)).toEqual([1, 2])
})

test('a fetch waits while the memory of all answers is used up, and is empty but without an error when its time is over', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  await fill(kafka, 0, ['a'])
  const others = kafka.services.answerMemory.claim()
  others.reserve(defaultLimits.fetchAnswersBytes)
  const [empty] = await fetched(kafka, aFetch([asked(0)]))
  expect(empty).toMatchObject({ errorCode: 0, highWatermark: 1 })
  expect(empty?.records).toHaveLength(0)
  const waiting = fetched(kafka, aFetch([asked(0)], { maxWaitMs: 60_000, minBytes: 1 }))
  await turn()
  others.release()
  expect(baseOffsets((await waiting)[0]?.records ?? null)).toEqual([0])
  // The answer still holds exactly its bytes, because no one has called `sent` yet.
  const [{ records } = { records: null }] = await waiting
  expect(kafka.services.answerMemory.usedBytes).toBe(records?.length)
})

test('an empty partition has zero bytes of records, never null', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const [partition] = await fetched(kafka, aFetch([asked(0)]))
  expect(partition?.records).toHaveLength(0)
  const [unknown] = await fetched(kafka, aFetch([asked(9)]))
  expect(unknown?.records).toHaveLength(0)
})

test('aborted transactions are null for a fetch of uncommitted records, and a list for a fetch of committed ones', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const [uncommitted] = await fetched(kafka, aFetch([asked(0)], { isolationLevel: 0 }))
  const [committed] = await fetched(kafka, aFetch([asked(0)], { isolationLevel: 1 }))
  expect(uncommitted?.abortedTransactions).toBeNull()
  expect(committed?.abortedTransactions).toEqual([])
})

test('the first partition with data answers a whole batch, however small the limits are; the others answer none', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 2)
  await fill(kafka, 0, ['x'.repeat(500)])
  await fill(kafka, 1, ['y'.repeat(500)])
  const [first, second] = await fetched(
    kafka,
    aFetch([asked(1, { partitionMaxBytes: 1 }), asked(0, { partitionMaxBytes: 1 })], { maxBytes: 1 }),
  )
  expect([first?.partitionIndex, second?.partitionIndex]).toEqual([1, 0])
  expect(baseOffsets(first?.records ?? null)).toEqual([0])
  expect(second?.records).toHaveLength(0)
})

test.each<readonly [string, Parameters<typeof asked>[1], number, KafkaErrorName]>([
  ['an offset after the end', { fetchOffset: 4 }, 0, 'OFFSET_OUT_OF_RANGE'],
  ['a negative offset', { fetchOffset: -1 }, 0, 'OFFSET_OUT_OF_RANGE'],
  ['an unknown partition', {}, 7, 'UNKNOWN_TOPIC_OR_PARTITION'],
  ['an older leader epoch', { currentLeaderEpoch: 0 }, 0, 'FENCED_LEADER_EPOCH'],
  ['a newer leader epoch', { currentLeaderEpoch: 1000 }, 0, 'UNKNOWN_LEADER_EPOCH'],
])('%s is answered at once, with its error', async (_, more, partition, error) => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  await fill(kafka, 0, ['a', 'b', 'c'])
  const [answer] = await fetched(kafka, aFetch([asked(partition, more)], { maxWaitMs: 60_000, minBytes: 1 }))
  expect(answer?.errorCode).toBe(codeOf(error))
})

test('everything that an answer needs from the store is read at the same time, and no more', async () => {
  const store = heldReads()
  await using kafka = await anAgent({ settings: { 'cache.bytes': noCache }, wrap: store.wrap })
  await kafka.topic('t', 3)
  for (const partition of [0, 1, 2]) await fill(kafka, partition, ['a', 'b', 'c', 'd'])
  const answer = fetched(kafka, aFetch([0, 1, 2].map((partition) => asked(partition))))
  await expect.poll(() => store.reading.size).toBe(12)
  store.release()
  for (const partition of await answer) expect(baseOffsets(partition.records)).toEqual([0, 1, 2, 3])

  const small = fetched(kafka, aFetch([0, 1, 2].map((partition) => asked(partition, { partitionMaxBytes: 1 }))))
  await expect.poll(() => store.reading.size).toBe(3)
  store.release()
  expect((await small).map(({ records }) => baseOffsets(records))).toEqual([[0], [], []])
})

test('a fetch that ends early gives its reads up', async () => {
  const store = heldReads()
  await using kafka = await anAgent({ settings: { 'cache.bytes': noCache }, wrap: store.wrap })
  await kafka.topic('t')
  await fill(kafka, 0, ['a', 'b', 'c'])
  const closed = new AbortController()
  const answer = kafka.call(Fetch, 12, aFetch([asked(0)]), { signal: closed.signal })
  await expect.poll(() => store.reading.size).toBe(3)
  closed.abort()
  await answer
  await expect.poll(() => store.reading.size).toBe(0)
  expect(kafka.events.filter(({ kind }) => kind === 'defect')).toEqual([])
})

test('a read that fails is the error of its partition, and the other partitions have their records', async () => {
  const store = heldReads()
  await using kafka = await anAgent({ settings: { 'cache.bytes': noCache }, wrap: store.wrap })
  await kafka.topic('t', 2)
  for (const partition of [0, 1]) await fill(kafka, partition, ['a', 'b'])
  const answer = fetched(kafka, aFetch([asked(0), asked(1)]))
  await expect.poll(() => store.reading.size).toBe(4)
  store.release((index) => index !== 2)
  const [first, second] = await answer
  expect(first).toMatchObject({ errorCode: 0 })
  expect(baseOffsets(first?.records ?? null)).toEqual([0, 1])
  expect(second).toMatchObject({ errorCode: codeOf('KAFKA_STORAGE_ERROR') })
})

test('a fetch at the end of the log waits until a record is committed', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  await fill(kafka, 0, ['a'])
  const waiting = fetched(kafka, aFetch([asked(0, { fetchOffset: 1 })], { maxWaitMs: 60_000, minBytes: 1 }))
  await fill(kafka, 0, ['b'])
  const [partition] = await waiting
  expect(baseOffsets(partition?.records ?? null)).toEqual([1])
})

test('a long poll ends when its connection is closed', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const gone = new AbortController()
  const waiting = kafka.call(Fetch, 12, aFetch([asked(0)], { maxWaitMs: 60_000, minBytes: 1 }), { signal: gone.signal })
  gone.abort()
  expect((await waiting).responses[0]?.partitions[0]?.records).toHaveLength(0)
})

test('from version 13 on a fetch names topics by id; an unknown one is UNKNOWN_TOPIC_ID', async () => {
  await using kafka = await anAgent()
  const topicId = await kafka.topic('t')
  const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ'
  const topics = [unknown, topicId].map((id) => ({ topicId: id, partitions: [asked(0)] }))
  const { responses } = await kafka.call(Fetch, 13, { maxWaitMs: 60_000, minBytes: 1, topics })
  expect(responses.map((topic) => [topic.topicId, topic.partitions[0]?.errorCode])).toEqual([
    [unknown, codeOf('UNKNOWN_TOPIC_ID')],
    [topicId, 0],
  ])
})

test('an incremental fetch answers only the partitions that changed', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 2)
  const open = await kafka.call(Fetch, 12, aFetch([asked(0), asked(1)], { sessionEpoch: 0 }))
  expect(open.sessionId).toBeGreaterThan(0)
  expect(open.responses[0]?.partitions).toHaveLength(2)
  const { sessionId } = open
  const quiet = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, sessionId, sessionEpoch: 1, topics: [] })
  expect(quiet).toMatchObject({ errorCode: 0, sessionId, responses: [] })
  await fill(kafka, 1, ['a'])
  const news = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, sessionId, sessionEpoch: 2, topics: [] })
  expect(news.responses[0]?.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([1])
  const forgottenTopicsData = [{ topic: 't', partitions: [1] }]
  const less = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, sessionId, sessionEpoch: 3, topics: [], forgottenTopicsData })
  expect(less.responses).toEqual([])
})

test('a session error is one error for the whole request', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const none = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, sessionId: 5, sessionEpoch: 1, topics: [] })
  expect(none).toMatchObject({ errorCode: codeOf('FETCH_SESSION_ID_NOT_FOUND'), sessionId: 0, responses: [] })
  const { sessionId } = await kafka.call(Fetch, 12, aFetch([asked(0)], { sessionEpoch: 0 }))
  const wrong = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, sessionId, sessionEpoch: 9, topics: [] })
  expect(wrong).toMatchObject({ errorCode: codeOf('INVALID_FETCH_SESSION_EPOCH'), sessionId: 0 })
})

test('a fetch with a replica id is rejected', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const response = await kafka.call(Fetch, 12, aFetch([asked(0)], { replicaId: 3 }))
  expect(response).toMatchObject({ errorCode: codeOf('INVALID_REQUEST'), responses: [] })
})

test('an agent that does not own the partition answers its records, whatever leader epoch the client knows', async () => {
  await using kafka = await anAgent()
  const topicId = await kafka.topic('t')
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: aBatch(['v']) }] }]
  await kafka.call(Produce, 9, { acks: -1, timeoutMs: 10_000, topicData })
  takenOver(kafka, topicId)
  for (const currentLeaderEpoch of [-1, 1, 50]) {
    const topics = [{ topicId, partitions: [{ ...asked(0), currentLeaderEpoch }] }]
    const response = await kafka.call(Fetch, 16, { maxWaitMs: 60_000, minBytes: 1, topics })
    expect(response.responses[0]?.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 1 })
    expect(response.responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(0)
  }
})

const noCache = { value: '0', source: 'flag' } as const

interface HeldRead {
  settle(succeeds: boolean): void
}

/** A store whose reads wait until the test releases them, in their order; those that are not to succeed fail as if the store were away. */
function heldReads() {
  const reading = new Set<HeldRead>()
  return {
    reading,
    release(succeeds: (index: number) => boolean = () => true): void {
      for (const [index, read] of [...reading].entries()) read.settle(succeeds(index))
    },
    wrap: (objects: ObjectStore): ObjectStore => ({
      put: (key, body, signal) => objects.put(key, body, signal),
      remove: (keys, signal) => objects.remove(keys, signal),
      list: (prefix, options) => objects.list(prefix, options),
      close: () => objects.close(),
      async read(key, range, signal) {
        const held = Promise.withResolvers<boolean>()
        const read = { settle: held.resolve }
        reading.add(read)
        try {
          if (!(await orAborted(held.promise, signal))) throw new ObjectStoreError('unavailable', 'no', `read ${key}: the store is away`)
        } finally {
          reading.delete(read)
        }
        return await objects.read(key, range, signal)
      },
    }),
  }
}

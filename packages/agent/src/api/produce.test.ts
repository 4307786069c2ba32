// The rules of Produce, over a whole agent in memory.
import {
  attributeBits,
  buildBatch,
  codecNames,
  decodeResponse,
  encodeRequest,
  Fetch,
  type KafkaErrorName,
  Produce,
  type ProduceRequest,
  readBatchHeader,
  zeroUuid,
} from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { nativeCrc32c, nodeCodecs } from '../codecs.ts'
import type { Answer } from '../net/handled.ts'
import { GatedObjects } from '../objects/testing/gated-objects.ts'
import { MovableTime } from '../time/movable-time.ts'
import { systemClock } from '../time/system-clock.ts'
import { codeOf } from './access.ts'
import { type AgentForTests, aBatch, anAgent, type CallOptions, takenOver } from './testing/an-agent.ts'

type Records = Uint8Array | null

/** One partition of the topic `t`, by name. */
function aProduce(records: Records, more: { readonly index?: number; readonly name?: string } = {}): Pick<ProduceRequest, 'topicData'> {
  return { topicData: [{ name: more.name ?? 't', topicId: zeroUuid, partitionData: [{ index: more.index ?? 0, records }] }] }
}

const all = { acks: -1, timeoutMs: 10_000 }

async function produced(kafka: AgentForTests, records: Records, more: Parameters<typeof aProduce>[1] = {}, as?: CallOptions) {
  const { responses, ...rest } = await kafka.call(Produce, 11, { ...all, ...aProduce(records, more) }, as)
  const partition = responses[0]?.partitionResponses[0]
  if (partition === undefined) throw new Error('no answer for the partition')
  return { ...partition, nodeEndpoints: rest.nodeEndpoints }
}

async function storedIn(kafka: AgentForTests, topic = 't', partition = 0): Promise<Uint8Array | null | undefined> {
  const fetched = await kafka.call(Fetch, 12, {
    maxWaitMs: 0,
    minBytes: 0,
    topics: [{ topic, partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }],
  })
  return fetched.responses[0]?.partitions[0]?.records
}

test('batches are appended in order, and acknowledged records can be read', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  expect(await produced(kafka, aBatch(['a', 'b']))).toMatchObject({ errorCode: 0, baseOffset: 0, logAppendTimeMs: -1, logStartOffset: 0 })
  expect(await produced(kafka, aBatch(['c']))).toMatchObject({ errorCode: 0, baseOffset: 2 })
  expect(await storedIn(kafka)).not.toHaveLength(0)
})

test('requests of one connection are appended in the order of arrival, before any of them is answered', async () => {
  const objects = new GatedObjects()
  await using kafka = await anAgent({ wrap: () => objects })
  await kafka.topic('t')
  const answers: Promise<Answer>[] = []
  for (let at = 0; at < 20; at += 1) {
    const request = { ...all, ...aProduce(aBatch([`v${at}`])) }
    const chunks = encodeRequest(Produce, { version: 9, correlationId: at, clientId: null }, request)
    const handled = await kafka.sendFrame(Buffer.concat(chunks).subarray(4))
    if (handled.kind !== 'later') throw new Error(handled.kind)
    answers.push(handled.answer)
  }
  const landing = (async () => {
    for (;;) await objects.land()
  })()
  const offsets = (await Promise.all(answers)).map(({ chunks }) => {
    const { response } = decodeResponse(Produce, 9, Buffer.concat(chunks).subarray(4))
    return response.responses[0]?.partitionResponses[0]?.baseOffset
  })
  void landing
  expect(offsets).toEqual(Array.from({ length: 20 }, (_, at) => at))
})

test('one request may name several partitions; each has its own answer, in the order of the request', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 2)
  const partitionData = [1, 7, 0].map((index) => ({ index, records: aBatch([`p${index}`]) }))
  const { responses } = await kafka.call(Produce, 9, { ...all, topicData: [{ name: 't', partitionData }] })
  expect(responses[0]?.partitionResponses.map(({ index, errorCode }) => [index, errorCode])).toEqual([
    [1, 0],
    [7, codeOf('UNKNOWN_TOPIC_OR_PARTITION')],
    [0, 0],
  ])
})

test.each([2, -2, 100])('acks = %d is rejected', async (acks) => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const { responses } = await kafka.call(Produce, 9, { ...all, acks, ...aProduce(aBatch(['v'])) })
  expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(codeOf('INVALID_REQUIRED_ACKS'))
  expect(await storedIn(kafka)).toHaveLength(0)
})

test('acks = 1 is answered after the commit, like acks = all', async () => {
  const objects = new GatedObjects()
  await using kafka = await anAgent({ wrap: () => objects })
  await kafka.topic('t')
  let answered = false
  const sent = kafka.call(Produce, 9, { acks: 1, timeoutMs: 0, ...aProduce(aBatch(['v'])) }).finally(() => {
    answered = true
  })
  await objects.land()
  expect(answered).toBe(false)
  expect((await sent).responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0 })
})

test('acks = 0 gets no answer, and the records are stored', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  expect(await kafka.send(Produce, 9, { acks: 0, timeoutMs: 0, ...aProduce(aBatch(['v'])) })).toEqual({ kind: 'none', close: false })
  expect(await storedIn(kafka)).not.toHaveLength(0)
})

test.each<readonly [string, object]>([
  ['an unknown topic', aProduce(aBatch(['v']), { name: 'nowhere' })],
  ['a damaged batch', aProduce(Buffer.alloc(80))],
  [
    'a transactional batch without a transactional id',
    aProduce(aBatch(['v'], { attributes: attributeBits.transactional, producer: { id: 7, epoch: 0, baseSequence: 0 } })),
  ],
])('acks = 0 with %s closes the connection and answers nothing', async (_, request) => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  expect(await kafka.send(Produce, 9, { acks: 0, timeoutMs: 0, topicData: [], ...request })).toEqual({ kind: 'none', close: true })
})

function damaged(batch: Uint8Array): Uint8Array {
  const copy = Buffer.from(batch)
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 0xff
  return copy
}

function magic(batch: Uint8Array, value: number): Uint8Array {
  const copy = Buffer.from(batch)
  copy[16] = value
  return copy
}

const transactional = aBatch(['a'], { attributes: attributeBits.transactional, producer: { id: 7, epoch: 0, baseSequence: 0 } })

test.each<readonly [string, Records, KafkaErrorName]>([
  ['no records', null, 'INVALID_RECORD'],
  ['empty records', Buffer.alloc(0), 'INVALID_RECORD'],
  ['two batches', Buffer.concat([aBatch(['a']), aBatch(['b'])]), 'INVALID_RECORD'],
  ['a wrong checksum', damaged(aBatch(['a'])), 'CORRUPT_MESSAGE'],
  ['a truncated batch', aBatch(['abc']).subarray(0, -1), 'INVALID_RECORD'],
  ['an old format', magic(aBatch(['a']), 1), 'INVALID_RECORD'],
  ['more than max.message.bytes', aBatch(['x'.repeat(2000)]), 'MESSAGE_TOO_LARGE'],
  ['a control batch', aBatch(['a'], { attributes: attributeBits.control }), 'INVALID_RECORD'],
  ['a transactional batch without a transactional id', transactional, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
  ['a timestamp in the far future', aBatch(['a'], { timestamp: Date.now() + 2 * 3_600_000 }), 'INVALID_TIMESTAMP'],
])('%s is rejected with a text, and nothing is appended', async (_, records, error) => {
  await using kafka = await anAgent()
  await kafka.topic('t', 1, { 'max.message.bytes': '1000' })
  const answer = await produced(kafka, records)
  expect(answer).toMatchObject({ errorCode: codeOf(error), baseOffset: -1, logAppendTimeMs: -1 })
  expect(answer.errorMessage).toMatch(/\w+ \w+/)
  expect(await storedIn(kafka)).toHaveLength(0)
})

test.each(['none', 'gzip'] as const)('record errors list the records whose timestamps are out of range (%s)', async (codec) => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const now = Date.now()
  const timestamps = [now, now + 2 * 3_600_000, now, now + 3 * 3_600_000]
  const records = timestamps.map((timestamp, offsetDelta) => ({ offsetDelta, timestamp, key: null, value: Buffer.from('v'), headers: [] }))
  const compression = codec === 'none' ? {} : { compression: { codec, codecs: nodeCodecs } }
  const batch = buildBatch({ baseTimestamp: now, records, ...compression }, nativeCrc32c)
  const answer = await produced(kafka, batch)
  expect(answer.errorCode).toBe(codeOf('INVALID_TIMESTAMP'))
  expect(answer.recordErrors).toEqual([
    { batchIndex: 1, batchIndexErrorMessage: expect.stringContaining(String(timestamps[1])) },
    { batchIndex: 3, batchIndexErrorMessage: expect.stringContaining(String(timestamps[3])) },
  ])
  expect(await storedIn(kafka)).toHaveLength(0)
})

// The texts of Apache Kafka 4.3.
test.each(codecNames)('a compacted topic rejects a batch with a record that has no key (%s)', async (codec) => {
  await using kafka = await anAgent()
  await kafka.topic('t', 1, { 'cleanup.policy': 'compact' })
  const batchOf = (keys: readonly (string | null)[]): Uint8Array => {
    const records = keys.map((key, offsetDelta) => {
      return { offsetDelta, timestamp: Date.now(), key: key === null ? null : Buffer.from(key), value: Buffer.from('v'), headers: [] }
    })
    return buildBatch({ baseTimestamp: Date.now(), records, compression: { codec, codecs: nodeCodecs } }, nativeCrc32c)
  }
  const answer = await produced(kafka, batchOf([null, 'a', null, null, null]))
  const text = 'Compacted topic cannot accept message without key in topic partition t-0'
  const first = [0, 2, 3].map((index) => `RecordError(batchIndex=${index}, message='${text}')`).join(', ')
  expect(answer).toMatchObject({
    errorCode: codeOf('INVALID_RECORD'),
    errorMessage: `One or more records have been rejected due to 4 record errors in total, and only showing the first three errors at most: [${first}]`,
    recordErrors: [0, 2, 3, 4].map((batchIndex) => ({ batchIndex, batchIndexErrorMessage: text })),
    logStartOffset: 0,
  })
  expect(await storedIn(kafka)).toHaveLength(0)
  expect(await produced(kafka, batchOf(['a', 'b']))).toMatchObject({ errorCode: 0, baseOffset: 0 })
})

test('C17: the error text of a timestamp has the exact limits', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 1, { 'message.timestamp.after.max.ms': '0' })
  await kafka.topic('exact', 1, { 'message.timestamp.before.max.ms': '9007199254740993', 'message.timestamp.after.max.ms': '0' })
  const late = aBatch(['a'], { timestamp: Date.now() + 3_600_000 })
  const spanOf = ({ recordErrors }: { readonly recordErrors: readonly { readonly batchIndexErrorMessage: string | null }[] }): bigint => {
    const [, from = '', until = ''] = /within \[(-?\d+), (\d+)\]$/.exec(recordErrors[0]?.batchIndexErrorMessage ?? '') ?? []
    return BigInt(until) - BigInt(from)
  }
  expect(spanOf(await produced(kafka, late))).toBe(9223372036854775807n)
  const topicData = [{ name: 'exact', partitionData: [{ index: 0, records: late }] }]
  const { responses } = await kafka.call(Produce, 9, { ...all, topicData })
  expect(spanOf(responses[0]?.partitionResponses[0] ?? { recordErrors: [] })).toBe(9007199254740993n)
})

test('the rejection of a whole batch has no record errors', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  expect(await produced(kafka, aBatch(['a'], { attributes: attributeBits.control }))).toMatchObject({ recordErrors: [] })
})

test('a partition that occurs twice in a request is rejected both times; the others are appended', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 2)
  const partitionData = [0, 1, 0].map((index) => ({ index, records: aBatch(['v']) }))
  const { responses } = await kafka.call(Produce, 9, { ...all, topicData: [{ name: 't', partitionData }] })
  const invalid = codeOf('INVALID_REQUEST')
  expect(responses[0]?.partitionResponses.map(({ errorCode }) => errorCode)).toEqual([invalid, 0, invalid])
  const twice = { name: 't', partitionData: [{ index: 1, records: aBatch(['v']) }] }
  const second = await kafka.call(Produce, 9, { ...all, topicData: [twice, twice] })
  expect(second.responses.map(({ partitionResponses }) => partitionResponses[0]?.errorCode)).toEqual([invalid, invalid])
})

test('Produce does not create a missing topic', async () => {
  await using kafka = await anAgent()
  expect(await produced(kafka, aBatch(['v']), { name: 'nowhere' })).toMatchObject({ errorCode: codeOf('UNKNOWN_TOPIC_OR_PARTITION') })
  expect(await kafka.services.topics.list()).toEqual([])
})

test.each([-1, 1, 100])('partition %d of a topic with one partition is unknown', async (index) => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  expect(await produced(kafka, aBatch(['v']), { index })).toMatchObject({ errorCode: codeOf('UNKNOWN_TOPIC_OR_PARTITION') })
})

test('from version 13 on a request names topics by id; an unknown one is UNKNOWN_TOPIC_ID', async () => {
  await using kafka = await anAgent()
  const topicId = await kafka.topic('t')
  const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ'
  const partitionData = [{ index: 0, records: aBatch(['v']) }]
  const topicData = [topicId, unknown].map((id) => ({ topicId: id, partitionData }))
  const { responses } = await kafka.call(Produce, 13, { ...all, topicData })
  expect(responses.map((topic) => [topic.topicId, topic.partitionResponses[0]?.errorCode])).toEqual([
    [topicId, 0],
    [unknown, codeOf('UNKNOWN_TOPIC_ID')],
  ])
})

test('records for a topic that another agent deleted are rejected as unknown, and get no offset', async () => {
  await using kafka = await anAgent()
  const topicId = await kafka.topic('t')
  await produced(kafka, aBatch(['v']))
  await kafka.metadata.topics.delete(topicId)
  expect(await produced(kafka, aBatch(['v']))).toMatchObject({ errorCode: codeOf('UNKNOWN_TOPIC_OR_PARTITION') })
  expect(kafka.services.catalog.byId(topicId)).toBeUndefined()
})

test('with LogAppendTime the stamp is answered and stored, with a valid checksum', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 1, { 'message.timestamp.type': 'LogAppendTime' })
  const before = Date.now()
  const { logAppendTimeMs } = await produced(kafka, aBatch(['v'], { timestamp: 5 }))
  expect(logAppendTimeMs).toBeGreaterThanOrEqual(before)
  expect(logAppendTimeMs).toBeLessThanOrEqual(Date.now())
  const stored = await storedIn(kafka)
  if (stored == null) throw new Error('nothing stored')
  expect(readBatchHeader(stored, 0).maxTimestamp).toBe(logAppendTimeMs)
})

test('a clock that a test moves does not time out a write in progress', async () => {
  const objects = new GatedObjects()
  await using kafka = await anAgent({ wrap: () => objects })
  await kafka.topic('t')
  const time = new MovableTime(systemClock)
  const call = kafka.call(Produce, 9, { acks: -1, timeoutMs: 30_000, ...aProduce(aBatch(['v'])) }, { services: { clock: time.clock } })
  while (objects.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await time.advance(3_600_000, { sessions: 'keep' })
  await objects.land()
  const { responses } = await call
  expect(responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0 })
})

test('a write whose outcome is unknown in time is REQUEST_TIMED_OUT, and it goes on', async () => {
  const objects = new GatedObjects()
  await using kafka = await anAgent({ wrap: () => objects })
  await kafka.topic('t')
  const { responses } = await kafka.call(Produce, 9, { acks: -1, timeoutMs: 1, ...aProduce(aBatch(['v'])) })
  expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(codeOf('REQUEST_TIMED_OUT'))
  await objects.land()
  const fetched = await kafka.call(Fetch, 12, {
    maxWaitMs: 10_000,
    minBytes: 1,
    topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }],
  })
  expect(fetched.responses[0]?.partitions[0]?.highWatermark).toBe(1)
})

test('the batches of a failed flush are rejected with a retriable error, and their connection is closed', async () => {
  const objects = new GatedObjects()
  await using kafka = await anAgent({ wrap: () => objects })
  await kafka.topic('t')
  const sent = kafka.send(Produce, 9, { ...all, ...aProduce(aBatch(['v'])) })
  await objects.fail()
  const answer = await sent
  expect(answer).toMatchObject({ kind: 'answer', thenClose: true })
  if (answer.kind !== 'answer') throw new Error(answer.kind)
  expect(answer.response.responses[0]?.partitionResponses[0]?.errorCode).toBe(codeOf('NOT_ENOUGH_REPLICAS'))
})

test('a duplicate of an idempotent producer gets its first offset; a gap in the sequence is rejected', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const batch = (baseSequence: number): Uint8Array => aBatch(['a', 'b'], { producer: { id: 7, epoch: 0, baseSequence } })
  expect(await produced(kafka, batch(0))).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(await produced(kafka, batch(2))).toMatchObject({ errorCode: 0, baseOffset: 2 })
  expect(await produced(kafka, batch(0))).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(await produced(kafka, batch(6))).toMatchObject({ errorCode: codeOf('OUT_OF_ORDER_SEQUENCE_NUMBER') })
})

test('an agent that does not own the partition answers the current leader and its address', async () => {
  await using kafka = await anAgent()
  const topicId = await kafka.topic('t')
  takenOver(kafka, topicId)
  // The database does not know the other agent, so the answer must not wait for a heartbeat: it does not when the client is gone.
  const membership = { refresh: () => Promise.resolve() }
  const answer = await produced(kafka, aBatch(['v']), {}, { services: { membership }, signal: AbortSignal.abort() })
  expect(answer).toMatchObject({
    errorCode: codeOf('NOT_LEADER_OR_FOLLOWER'),
    currentLeader: { leaderId: 8, leaderEpoch: 50 },
    nodeEndpoints: [{ nodeId: 8, host: 'other.test', port: 9093 }],
  })
})

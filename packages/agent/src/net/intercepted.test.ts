// The verdicts of an interceptor on a request, and the outcome for the client, the log and the interceptor.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  ApiVersions,
  decodeResponse,
  encodeRequest,
  errors,
  Fetch,
  Heartbeat,
  InitProducerId,
  Metadata,
  Produce,
} from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { handlers } from '../api/index.ts'
import { type AgentForTests, aBatch, anAgent, aPeer, baseOffsets } from '../api/testing/an-agent.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import { storeAround } from '../objects/wrappers/around.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { dispatcher } from './dispatch.ts'
import { handle, type Peer } from './exchange.ts'
import type { Handled } from './handled.ts'
import { intercepted } from './intercepted.ts'
import type { Act, End, InterceptedRequest, RequestFate } from './interceptor.ts'

interface Watched {
  readonly peer: Peer
  readonly asked: InterceptedRequest[]
  readonly ends: End[]
}

function watched(verdict: RequestFate | ((asked: InterceptedRequest) => RequestFate | Promise<RequestFate>)): Watched {
  const asked: InterceptedRequest[] = []
  const ends: End[] = []
  const interceptedHandle = intercepted(handle, {
    request(request) {
      asked.push(request)
      return { verdict: typeof verdict === 'function' ? verdict(request) : verdict, settled: (end) => void ends.push(end) }
    },
  })
  return { peer: aPeer({ handle: interceptedHandle }), asked, ends }
}

const act = (kind: Exclude<Act['kind'], 'fail'>): RequestFate => ({ act: { kind } })

function producing(acks = -1, producer?: { readonly id: number; readonly epoch: number; readonly sequence: number }) {
  const records = aBatch(
    ['v'],
    producer === undefined ? {} : { producer: { id: producer.id, epoch: producer.epoch, baseSequence: producer.sequence } },
  )
  return { acks, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }
}

async function stored(kafka: AgentForTests): Promise<number> {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1024 * 1024 }]
  const { responses } = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }] })
  return baseOffsets(responses[0]?.partitions[0]?.records ?? null).length
}

test('pass: the interceptor sees the request and its answer', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const { peer, asked, ends } = watched(act('pass'))
  const response = await kafka.call(Produce, 9, producing(), { peer })
  expect(response.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(asked).toMatchObject([{ api: 'Produce', version: 9, client: { id: 'test', connectionId: 1 }, topics: ['t'], groups: [] }])
  expect(ends).toMatchObject([{ outcome: 'answered', response: { responses: [{ name: 't' }] } }])
})

test('topic ids have their names, and an incremental fetch is about the topics of its session', async () => {
  await using kafka = await anAgent()
  const topicId = await kafka.topic('t')
  const { peer, asked } = watched(act('pass'))
  const fetch = { maxWaitMs: 0, minBytes: 0, sessionEpoch: 0 }
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1024 }]
  const { sessionId } = await kafka.call(Fetch, 13, { ...fetch, topics: [{ topicId, partitions }] }, { peer })
  await kafka.call(Fetch, 13, { ...fetch, sessionId, sessionEpoch: 1, topics: [] }, { peer })
  expect(asked.map(({ topics }) => topics)).toEqual([['t'], ['t']])
})

test('fail: the rejection has the shape of the API, and nothing is done', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const { peer, ends } = watched({ act: { kind: 'fail', error: 'NOT_LEADER_OR_FOLLOWER' } })
  const produced = await kafka.call(Produce, 9, producing(), { peer })
  const { code, message } = errors.NOT_LEADER_OR_FOLLOWER
  expect(produced.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: code, errorMessage: message, baseOffset: -1 })
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1024 }]
  const fetched = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }] }, { peer })
  expect(fetched).toMatchObject({ errorCode: 0, responses: [{ topic: 't', partitions: [{ errorCode: code }] }] })
  expect(ends.map(({ outcome }) => outcome)).toEqual(['answered', 'answered'])
  expect(await stored(kafka)).toBe(0)
})

test('fail: the connection of a producer that expects no answer is closed, as in Kafka', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const { peer, ends } = watched({ act: { kind: 'fail', error: 'NOT_LEADER_OR_FOLLOWER' } })
  expect(await kafka.send(Produce, 9, producing(0), { peer })).toEqual({ kind: 'none', close: true })
  expect(ends).toMatchObject([{ outcome: 'closed', response: undefined }])
})

test('fail: UNSUPPORTED_VERSION of ApiVersions is written as version 0, which every client can read', async () => {
  await using kafka = await anAgent()
  const { peer } = watched({ act: { kind: 'fail', error: 'UNSUPPORTED_VERSION' } })
  const request = { clientSoftwareName: 'kcat', clientSoftwareVersion: '1.7.1' }
  const chunks = encodeRequest(ApiVersions, { version: 3, correlationId: 5, clientId: null }, request)
  const handled = await kafka.sendFrame(Buffer.concat(chunks).subarray(4), { peer })
  if (handled.kind !== 'now') throw new Error(handled.kind)
  const { response } = decodeResponse(ApiVersions, 0, Buffer.concat(handled.answer.chunks).subarray(4))
  expect(response.errorCode).toBe(errors.UNSUPPORTED_VERSION.code)
  expect(response.apiKeys.length).toBeGreaterThan(0)
})

test('drop: nothing is done, nothing is answered, and the connection goes on', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const { peer, ends } = watched(act('drop'))
  expect(await kafka.send(Produce, 9, producing(), { peer })).toEqual({ kind: 'none', close: false })
  expect(ends).toMatchObject([{ outcome: 'dropped' }])
  expect(await stored(kafka)).toBe(0)
})

test('hang, wait, decide: no further request is taken, and a Produce keeps its permit while its frame is in memory', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  for (const [verdict, outcome] of [
    [act('hang'), 'dropped'],
    [{ ...act('pass'), waitMs: 60_000 }, 'gone'],
    [() => new Promise<RequestFate>(() => {}), 'dropped'],
  ] as const) {
    const { peer, ends } = watched(verdict)
    const client = new AbortController()
    let held = true
    const frame = Buffer.concat(encodeRequest(Produce, { version: 9, correlationId: 1, clientId: null }, producing())).subarray(4)
    let settled = false
    const handling = dispatcher(handlers, kafka.services)(frame, peer, client.signal, {
      release: () => {
        held = false
      },
      abandonMemory() {},
    }).finally(() => {
      settled = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect([held, settled]).toEqual([true, false])
    client.abort(new Error('the connection is gone'))
    const handled = await handling
    if (handled.kind === 'later') await handled.answer
    expect(ends.map((end) => end.outcome)).toEqual([outcome])
  }
  // Only the request with `wait` was handled.
  expect(await stored(kafka)).toBe(1)
})

test.each(['pass', 'duplicate', 'lose ack'] as const)('%s: nothing holds the frame while an answer is awaited', async (kind) => {
  const put = Promise.withResolvers<void>()
  const wrap = (store: ObjectStore): ObjectStore => storeAround(store, (_, run) => put.promise.then(run))
  await using kafka = await anAgent({ wrap })
  await kafka.topic('t')
  const ends: End[] = []
  const peer = aPeer({ handle: intercepted(handle, { request: () => ({ verdict: act(kind), settled: (end) => void ends.push(end) }) }) })
  const [frame, handled] = await sentFrame(kafka, peer)
  if (handled.kind !== 'later') throw new Error(handled.kind)
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  const held = frame.deref()
  expect(ends).toEqual([])
  put.resolve()
  expect(await handled.answer).toBeDefined()
  expect(ends).toHaveLength(1)
  expect(held).toBeUndefined()
})

/** The frame is in the scope of this function only. */
async function sentFrame(kafka: AgentForTests, peer: Peer): Promise<readonly [WeakRef<ArrayBufferLike>, Handled]> {
  const chunks = encodeRequest(Produce, { version: 9, correlationId: 1, clientId: null }, producing())
  const frame = new Uint8Array(Buffer.concat(chunks).subarray(4))
  return [new WeakRef(frame.buffer), await kafka.sendFrame(frame, { peer })]
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

test('close: nothing is done, and the connection ends', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const { peer, ends } = watched(act('close'))
  expect(await kafka.send(Produce, 9, producing(), { peer })).toMatchObject({ kind: 'close' })
  expect(ends).toMatchObject([{ outcome: 'closed' }])
  expect(await stored(kafka)).toBe(0)
})

test('duplicate: handled twice and answered once; an idempotent batch is stored once, and has the answer of the original', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const { peer, ends } = watched(act('duplicate'))
  const plain = await kafka.call(Produce, 9, producing(), { peer })
  expect(plain.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 1 })
  expect(await stored(kafka)).toBe(2)
  const { producerId, producerEpoch } = await kafka.call(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 })
  const idempotent = await kafka.call(Produce, 9, producing(-1, { id: producerId, epoch: producerEpoch, sequence: 0 }), { peer })
  expect(idempotent.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 2 })
  expect(await stored(kafka)).toBe(3)
  expect(await kafka.send(Produce, 9, producing(0), { peer })).toEqual({ kind: 'none', close: false })
  expect(await stored(kafka)).toBe(5)
  expect(ends.map(({ outcome }) => outcome)).toEqual(['answered', 'answered', 'unanswered'])
})

test.each([[-1], [0]])('lose ack: with acks=%i the batch is stored, and the connection is closed instead of an answer', async (acks) => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const { peer, ends } = watched(act('lose ack'))
  const chunks = encodeRequest(Produce, { version: 9, correlationId: 1, clientId: null }, producing(acks))
  const handled = await kafka.sendFrame(Buffer.concat(chunks).subarray(4), { peer })
  if (handled.kind === 'later') expect(await handled.answer).toMatchObject({ chunks: [], thenClose: true })
  else expect(handled.kind === 'none' && (await handled.close)).toBe(true)
  expect(ends).toMatchObject([{ outcome: 'lost' }])
  expect(await stored(kafka)).toBe(1)
})

test('wait: the request is handled when the time is over, not before', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const clock = new ManualClock()
  const { peer, ends } = watched({ ...act('pass'), waitMs: 2_000 })
  const asking = kafka.call(Metadata, 9, { topics: [{ name: 't' }] }, { peer, services: { clock } })
  await clock.advance(1_999)
  expect(ends).toEqual([])
  await clock.advance(1)
  expect((await asking).topics[0]?.name).toBe('t')
  expect(ends).toMatchObject([{ outcome: 'answered', durationMs: 2_000 }])
})

test('wait: a request whose client disconnects is still handled, and its outcome is `gone`', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const client = new AbortController()
  const { peer, ends } = watched({ ...act('pass'), waitMs: 60_000 })
  const producing1 = kafka.send(Produce, 9, producing(), { peer, signal: client.signal })
  client.abort(new Error('the connection is gone'))
  await producing1
  expect(ends).toMatchObject([{ outcome: 'gone', response: undefined }])
  expect(await stored(kafka)).toBe(1)
})

test('nothing is done until the verdict is known', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const decision = Promise.withResolvers<RequestFate>()
  const { peer, ends } = watched(() => decision.promise)
  const sending = kafka.call(Produce, 9, producing(), { peer })
  await new Promise((resolve) => setImmediate(resolve))
  expect(ends).toEqual([])
  expect(await stored(kafka)).toBe(0)
  decision.resolve(act('pass'))
  await sending
  expect(await stored(kafka)).toBe(1)
})

test('throttle: the answer has the throttle time, and the connection takes no request meanwhile', async () => {
  await using kafka = await anAgent()
  const { peer } = watched({ ...act('pass'), throttleMs: 300 })
  const sent = await kafka.send(Heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' }, { peer })
  expect(sent).toMatchObject({ kind: 'answer', throttleMs: 300, response: { throttleTimeMs: 300 } })
})

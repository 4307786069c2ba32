// From frames to answers: requests that are not understood, requests that are rejected, and defects.
import {
  ApiVersions,
  CreateTopics,
  decodeResponse,
  encodeRequest,
  errors,
  Fetch,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  Metadata,
  Produce,
  SaslAuthenticate,
  SaslHandshake,
} from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import type { Gate } from '../api/gate.ts'
import { handlers } from '../api/index.ts'
import { aBatch, anAgent, aPeer } from '../api/testing/an-agent.ts'
import type { Groups } from '../coordinate/groups.ts'
import { AssertionError } from '../core/assert.ts'
import { defaultLimits } from '../limits.ts'
import { MetadataError } from '../metadata/metadata-store.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import { ByteBudget } from '../observe/byte-budget.ts'
import type { AgentEvent } from '../observe/events.ts'
import { systemClock } from '../time/system-clock.ts'
import { Turns } from '../time/turns.ts'
import type { ProducerIds } from '../write/producer-ids.ts'
import { Room } from '../write/room.ts'
import type { Writer } from '../write/writer.ts'
import { DecodedRequests } from './decoded-requests.ts'
import type { Pin } from './frame-pin.ts'
import type { Answer, Handled } from './handled.ts'
import { retriableError } from './retriable-error.ts'

const initProducerId = { transactionalId: null, transactionTimeoutMs: 0 }

function failing(error: Error): { readonly producerIds: ProducerIds } {
  return { producerIds: { next: () => Promise.reject(error) } as unknown as ProducerIds }
}

/** A request header, version 1, and a body. */
function aFrame(apiKey: number, apiVersion: number, body: Uint8Array = Buffer.alloc(0)): Uint8Array {
  const header = Buffer.alloc(10)
  header.writeInt16BE(apiKey, 0)
  header.writeInt16BE(apiVersion, 2)
  header.writeInt32BE(7, 4)
  header.writeInt16BE(-1, 8)
  return Buffer.concat([header, body])
}

test('a client that is newer than the server gets version 0 of ApiVersions, with error 35 and the versions that are served', async () => {
  await using kafka = await anAgent()
  const handled = await kafka.sendFrame(aFrame(ApiVersions.key, 99, Buffer.of(1, 2, 3)))
  if (handled.kind !== 'now') throw new Error(handled.kind)
  const { correlationId, response } = decodeResponse(ApiVersions, 0, Buffer.concat(handled.answer.chunks).subarray(4))
  expect(correlationId).toBe(7)
  expect(response.errorCode).toBe(errors.UNSUPPORTED_VERSION.code)
  expect(response.apiKeys).toContainEqual({ apiKey: ApiVersions.key, minVersion: 0, maxVersion: 4 })
})

test.each([
  ['an unknown API', aFrame(999, 0)],
  ['a version of Produce that is only advertised', aFrame(Produce.key, 2)],
  ['a version that is not served', aFrame(Metadata.key, 99)],
  ['a negative version', aFrame(Metadata.key, -1)],
  ['a truncated header', Buffer.of(0, 3)],
  ['a truncated body', aFrame(Metadata.key, 1, Buffer.of(0, 0, 0))],
])('%s closes the connection, with an event', async (_, frame) => {
  await using kafka = await anAgent()
  expect(await kafka.sendFrame(frame)).toMatchObject({ kind: 'close' })
  expect(kafka.events).toContainEqual(expect.objectContaining({ kind: 'protocol error', connectionId: 1 }))
})

test('C1: a request with bytes after it is answered', async () => {
  await using kafka = await anAgent()
  for (const count of [1, 3, 100])
    expect(await kafka.sendFrame(aFrame(Metadata.key, 0, Buffer.alloc(4 + count)))).toMatchObject({ kind: 'now' })
})

test.each([
  ['an API that is not served', aFrame(30, 2), 'CreateAcls', 2, 'CreateAcls 2 is not served (API key 30)'],
  ['an API that Kafka does not have', aFrame(999, 0), 'API 999', 0, 'API 999 0 is not served (API key 999)'],
  ['an older version', aFrame(Fetch.key, 3), 'Fetch', 3, 'Fetch 3 is not served: versions 4 to 18 are'],
  ['a newer version', aFrame(Fetch.key, 19), 'Fetch', 19, 'Fetch 19 is not served: versions 4 to 18 are'],
  [
    'a body that cannot be read',
    aFrame(Metadata.key, 1, Buffer.of(0, 0, 0)),
    'Metadata',
    1,
    expect.stringMatching(/^Metadata 1 cannot be read: /),
  ],
])('C10: %s is reported with the client, the API by name, the version, and what to do', async (_, frame, api, version, message) => {
  await using kafka = await anAgent()
  const peer = aPeer({ software: { name: 'sarama', version: '1.41.0' } })
  await kafka.sendFrame(frame, { peer })
  expect(kafka.events.filter(({ kind }) => kind === 'protocol error')).toEqual([
    {
      kind: 'protocol error',
      connectionId: 1,
      client: { id: null, software: peer.software, address: '10.0.0.9' },
      request: { api, version },
      message,
      advice: expect.any(String),
    },
  ])
})

test('C19: an unsupported request is reported in the log with its reason, whatever the client shows', async () => {
  await using kafka = await anAgent()
  await kafka.call(FindCoordinator, 6, { keyType: 2, coordinatorKeys: ['shared'] })
  const client = { id: 'test', address: '10.0.0.9' }
  expect(kafka.events.filter(({ kind }) => kind === 'rejected')).toMatchObject([
    {
      client,
      api: 'FindCoordinator',
      version: 6,
      subject: "share group 'shared'",
      error: 'UNSUPPORTED_VERSION',
      message: expect.stringMatching(/Share groups/),
    },
  ])
})

test('C9: a listener without SASL answers ILLEGAL_SASL_STATE and no mechanisms', async () => {
  await using kafka = await anAgent()
  expect(await kafka.call(SaslHandshake, 1, { mechanism: 'PLAIN' })).toEqual({ errorCode: errors.ILLEGAL_SASL_STATE.code, mechanisms: [] })
  const { errorCode } = await kafka.call(SaslAuthenticate, 2, { authBytes: Buffer.from('token') })
  expect(errorCode).toBe(errors.ILLEGAL_SASL_STATE.code)
  expect(kafka.events.filter(({ kind }) => kind === 'rejected')).toHaveLength(2)
  const { apiKeys } = await kafka.call(ApiVersions, 0, {})
  expect(apiKeys).toContainEqual({ apiKey: SaslHandshake.key, minVersion: 0, maxVersion: 1 })
})

test('N10: a topic that cannot be created is reported with the client and the reason; one that exists is not', async () => {
  await using kafka = await anAgent()
  await kafka.topic('there')
  const topic = (name: string, config: string) => ({
    name,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: [{ name: config, value: '1' }],
  })
  await kafka.call(CreateTopics, 2, { topics: [topic('new', 'segment.mz'), topic('there', 'max.message.bytes')], timeoutMs: 1000 })
  expect(kafka.events.filter(({ kind }) => kind === 'rejected')).toMatchObject([
    {
      client: { id: 'test' },
      api: 'CreateTopics',
      version: 2,
      subject: "topic 'new'",
      error: 'INVALID_CONFIG',
      message: expect.stringContaining('segment.mz'),
    },
  ])
})

test.each([
  ['the database is unavailable', new MetadataError('unavailable', 'away')],
  ['the object store is unavailable', new ObjectStoreError('unavailable', 'no', 'away')],
])('when %s the answer is retriable, and it is not a defect', async (_, error) => {
  await using kafka = await anAgent()
  const response = await kafka.call(InitProducerId, 4, initProducerId, { services: failing(error) })
  expect(response.errorCode).toBe(errors.KAFKA_STORAGE_ERROR.code)
  expect(kafka.events.filter(({ kind }) => kind === 'defect')).toEqual([])
})

const defect = new AssertionError('the code broke its own rule')

test('an unexpected error is a defect: the log has its text, the client gets a retriable error without it', async () => {
  await using kafka = await anAgent()
  const response = await kafka.call(InitProducerId, 4, initProducerId, { services: failing(defect) })
  expect(response).toMatchObject({ errorCode: errors.KAFKA_STORAGE_ERROR.code, producerId: -1 })
  expect(kafka.events).toContainEqual({ kind: 'defect', where: 'InitProducerId', error: defect })
})

test('a member of a group survives a defect: it asks its coordinator again', async () => {
  await using kafka = await anAgent()
  const groups = { heartbeat: () => Promise.reject(defect) } as unknown as Groups
  const request = { groupId: 'g', generationId: 1, memberId: 'm' }
  const { errorCode } = await kafka.call(Heartbeat, 4, request, { services: { groups } })
  expect(errorCode).toBe(errors.COORDINATOR_NOT_AVAILABLE.code)
})

test('every API has a retriable error for a defect', () => {
  for (const handler of handlers)
    for (const work of ['not done', 'unknown'] as const) expect(errors[retriableError(handler, work)].retriable).toBe(true)
})

test('H6: a large request is decoded, and its response encoded, in many turns; a small one in none', async () => {
  await using kafka = await anAgent()
  let turnCount = 0
  const soon = (callback: () => void): void => {
    turnCount += 1
    setImmediate(callback)
  }
  let turnsOfDecoding = 0
  const peer = aPeer({
    handle(request, exchange) {
      turnsOfDecoding = turnCount
      return exchange.reject(request, errors.KAFKA_STORAGE_ERROR)
    },
  })
  const answered = async (names: number): Promise<number> => {
    const topics = Array.from({ length: names }, (_, at) => ({ name: `topic-${at}` }))
    const asked = { topics, allowAutoTopicCreation: false }
    const turns = new Turns({ soon })
    const decodedRequests = new DecodedRequests({ clock: systemClock, turns, limits: defaultLimits })
    const sent = await kafka.send(Metadata, 9, asked, { peer, services: { turns, decodedRequests } })
    return sent.kind === 'answer' ? sent.response.topics.length : 0
  }
  expect([await answered(100), turnCount]).toEqual([100, 0])
  expect(await answered(60_000)).toBe(60_000)
  expect(turnsOfDecoding).toBeGreaterThan(10)
  expect(turnCount - turnsOfDecoding).toBeGreaterThan(10)
})

/** Answers with a defect: from the admission itself, or when the outcome of the write should arrive. */
async function produceWith(
  writer: Partial<Writer>,
  body: (handled: Handled, events: readonly AgentEvent[]) => Promise<void>,
): Promise<void> {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const partitions = { room: async () => new Room(new ByteBudget(0), 0), ...writer } as unknown as Writer
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: aBatch(['v']) }] }]
  const chunks = encodeRequest(Produce, { version: 9, correlationId: 1, clientId: null }, { acks: -1, timeoutMs: 1000, topicData })
  const handled = await kafka.sendFrame(Buffer.concat(chunks).subarray(4), { services: { writer: partitions } })
  await body(handled, kafka.events)
}

function expectTimedOut({ chunks, thenClose }: Answer): void {
  const { response } = decodeResponse(Produce, 9, Buffer.concat(chunks).subarray(4))
  expect(response.responses).toMatchObject([
    { name: 't', partitionResponses: [{ index: 0, errorCode: errors.REQUEST_TIMED_OUT.code, baseOffset: -1 }] },
  ])
  expect(thenClose).toBe(true)
}

test('after a defect a producer may not conclude that its batch is not stored, and no later request of its connection is taken', async () => {
  const admit = (): never => {
    throw defect
  }
  await produceWith({ admit }, async (handled, events) => {
    if (handled.kind !== 'now') throw new Error(handled.kind)
    expectTimedOut(handled.answer)
    expect(events).toContainEqual({ kind: 'defect', where: 'Produce', error: defect })
  })
})

test('a promised answer that rejects is a defect with the same answer', async () => {
  await produceWith({ admit: () => ({ answers: Promise.reject(defect) }) }, async (handled, events) => {
    if (handled.kind !== 'later') throw new Error(handled.kind)
    expectTimedOut(await handled.answer)
    expect(events).toContainEqual({ kind: 'defect', where: 'Produce', error: defect })
  })
})

test('the answer of a throttled client has the throttle time, and its connection takes no request meanwhile', async () => {
  await using kafka = await anAgent()
  const gate: Gate = { authorize: () => true, throttle: () => 250 }
  const sent = await kafka.send(InitProducerId, 4, initProducerId, { services: { gate } })
  expect(sent).toMatchObject({ kind: 'answer', throttleMs: 250, response: { throttleTimeMs: 250 } })
})

test("requests and replies are events, and after ApiVersions a connection's requests have its client's software", async () => {
  await using kafka = await anAgent()
  const peer = aPeer()
  const contexts: unknown[] = []
  const gate: Gate = {
    authorize: () => true,
    throttle: (context) => {
      contexts.push([context.client.software, context.requestId])
      return 0
    },
  }
  await kafka.call(ApiVersions, 3, { clientSoftwareName: 'kcat', clientSoftwareVersion: '1.7.1' }, { peer, services: { gate } })
  await kafka.call(InitProducerId, 4, initProducerId, { peer, services: { gate } })
  expect(contexts).toEqual([
    [undefined, '1-1'],
    [{ name: 'kcat', version: '1.7.1' }, '1-2'],
  ])
  const seen = kafka.events.filter(({ kind }) => kind === 'request' || kind === 'reply')
  expect(seen).toMatchObject([
    { kind: 'request', api: 'ApiVersions', version: 3, clientId: 'test' },
    { kind: 'reply', api: 'ApiVersions' },
    { kind: 'request', api: 'InitProducerId' },
    { kind: 'reply', api: 'InitProducerId' },
  ])
})

test.each(['', 'bad name', '-x', 'x\n'])('a client software name %j is rejected, and not remembered', async (clientSoftwareName) => {
  await using kafka = await anAgent()
  const peer = aPeer()
  const response = await kafka.call(ApiVersions, 3, { clientSoftwareName, clientSoftwareVersion: '1' }, { peer })
  expect(response.errorCode).toBe(errors.INVALID_REQUEST.code)
  expect(peer.software).toBeUndefined()
})

test('a frame is released as soon as it is decoded, except for Produce, whose batches are slices of it', async () => {
  await using kafka = await anAgent()
  const { dispatcher } = await import('./dispatch.ts')
  const order: string[] = []
  const spying = handlers.map((handler) => ({
    ...handler,
    handle: (...args: Parameters<typeof handler.handle>) => {
      order.push(`handle ${handler.api.name}`)
      return handler.handle(...args)
    },
  }))
  const dispatch = dispatcher(spying, kafka.services)
  const pin: Pin = { release: () => void order.push('released'), abandonMemory: () => void order.push('abandoned') }
  const header = { correlationId: 1, clientId: null }
  const frames = [
    encodeRequest(InitProducerId, { ...header, version: 4 }, initProducerId),
    encodeRequest(Produce, { ...header, version: 9 }, { acks: 1, timeoutMs: 1000, topicData: [] }),
  ]
  for (const chunks of frames) await dispatch(Buffer.concat(chunks).subarray(4), aPeer(), new AbortController().signal, pin)
  // Its decoded request may refer to the frame, so the memory is not used again.
  expect(order).toEqual(['abandoned', 'released', 'handle InitProducerId', 'handle Produce'])
})

// Transactions over HTTP, in front of a whole agent; their producers use Kafka's protocol.
import { AddOffsetsToTxn, AddPartitionsToTxn, EndTxn, InitProducerId } from '@local-kafka-service/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentForTests, anAgent } from '../../agent/src/api/testing/an-agent.ts'
import { type HttpServers, serveHttp } from './serve.ts'
import { json } from './testing/json.ts'
import { served } from './testing/served.ts'

let kafka: AgentForTests
let http: HttpServers
beforeAll(async () => {
  kafka = await anAgent()
  const port = { hosts: ['127.0.0.1'], port: 0, movable: false }
  http = await serveHttp(kafka.agent, { control: port, data: port, allowedHosts: [], version: '0.0.0-test' })
  await kafka.topic('orders', 3)
})
afterAll(async () => {
  await http.stop()
  await kafka[Symbol.asyncDispose]()
})

const get = (path: string): Promise<Response> => fetch(`${http.control.url}${path}`)
const abort = (id: string): Promise<Response> =>
  fetch(`${http.control.url}/transactions/${encodeURIComponent(id)}/abort`, { method: 'POST' })

async function answer(asked: Promise<Response>, status = 200): Promise<Readonly<Record<string, unknown>>> {
  const response = await asked
  expect(response.status).toBe(status)
  return await json<Readonly<Record<string, unknown>>>(response)
}

interface Producer {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

async function aProducer(transactionalId: string): Promise<Producer> {
  const { producerId, producerEpoch } = await kafka.call(InitProducerId, 5, { transactionalId, transactionTimeoutMs: 60_000 })
  return { transactionalId, producerId, producerEpoch }
}

async function begin(producer: Producer, partitions: readonly number[]): Promise<void> {
  const { resultsByTopicV3AndBelow: results } = await kafka.call(AddPartitionsToTxn, 3, {
    v3AndBelowTransactionalId: producer.transactionalId,
    v3AndBelowProducerId: producer.producerId,
    v3AndBelowProducerEpoch: producer.producerEpoch,
    v3AndBelowTopics: [{ name: 'orders', partitions }],
  })
  expect(results?.[0]?.resultsByPartition.map((one) => one.partitionErrorCode)).toEqual(partitions.map(() => 0))
}

async function listed(query = ''): Promise<readonly unknown[]> {
  return (await json<{ readonly transactions: readonly unknown[] }>(get(`/transactions${query}`))).transactions
}

test('they are listed with their producers, and one is shown with the partitions and groups of its transaction', async () => {
  const empty = await aProducer('a/empty one')
  const open = await aProducer('b-open')
  const before = Date.now()
  await begin(open, [2, 0])
  expect((await kafka.call(AddOffsetsToTxn, 3, { ...open, groupId: 'billing' })).errorCode).toBe(0)
  const { transactionalId, producerId, producerEpoch } = open
  const openRow = { transactionalId, producerId, producerEpoch, state: 'Ongoing', timeoutMs: 60_000, coordinator: kafka.agent.brokerId }
  const emptyRow = { transactionalId: empty.transactionalId, state: 'Empty', startedAt: null, producerId: empty.producerId }
  expect(await listed()).toEqual([expect.objectContaining(emptyRow), expect.objectContaining(openRow)])
  expect(await listed('?state=Empty')).toEqual([expect.objectContaining(emptyRow)])
  expect(await listed('?open_for_ms=0&state=Empty')).toEqual([])
  expect(await listed('?open_for_ms=600000')).toEqual([])
  const shown = await answer(get('/transactions/b-open'))
  expect(shown).toEqual({
    ...openRow,
    startedAt: expect.any(String),
    topics: [{ topic: 'orders', partitions: [0, 2] }],
    groups: ['billing'],
  })
  const startedAt = Date.parse(String(shown.startedAt))
  expect(startedAt).toBeGreaterThanOrEqual(before - 1)
  expect(startedAt).toBeLessThanOrEqual(Date.now())
  expect(await answer(get(`/transactions/${encodeURIComponent('a/empty one')}`))).toMatchObject({ state: 'Empty', topics: [] })
})

test('an abort ends the transaction as a time-out does, and one without an open transaction changes nothing', async () => {
  const producer = await aProducer('hangs')
  await begin(producer, [1])
  expect(await answer(abort('hangs'))).toEqual({ transactionalId: 'hangs', aborted: true })
  const { producerEpoch } = producer
  const after = { state: 'CompleteAbort', producerEpoch: producerEpoch + 1, startedAt: null, topics: [], groups: [] }
  expect(await answer(get('/transactions/hangs'))).toMatchObject(after)
  expect(await answer(abort('hangs'))).toEqual({ transactionalId: 'hangs', aborted: false })
  expect(await answer(get('/transactions/hangs'))).toMatchObject(after)
  // The producer can abort what it believes to be open, and goes on.
  expect(await kafka.call(EndTxn, 5, { ...producer, committed: false })).toMatchObject({ errorCode: 0, producerEpoch: producerEpoch + 1 })
})

test('an unknown id is 404, and an unknown state 400', async () => {
  expect(await answer(get('/transactions/nothing'), 404)).toMatchObject({
    error: 'TransactionalIdNotFoundException',
    message: "There is no transactional id 'nothing'.",
  })
  expect(await answer(abort('nothing'), 404)).toMatchObject({ kafka: { name: 'TRANSACTIONAL_ID_NOT_FOUND' } })
  expect(await answer(get('/transactions?state=Open'), 400)).toMatchObject({ error: 'InvalidRequestException' })
  expect(await answer(get('/transactions?open_for_ms=soon'), 400)).toMatchObject({ error: 'InvalidRequestException' })
})

test('the gate decides about each route', async () => {
  await using closed = await served({ reject: true })
  for (const [method, path] of [
    ['GET', '/transactions'],
    ['GET', '/transactions/billing'],
    ['POST', '/transactions/billing/abort'],
  ] as const)
    await answer(fetch(`${closed.control}${path}`, { method }), 403)
  const cluster = closed.agent.clusterId
  const rights = [`DESCRIBE CLUSTER ${cluster}`, 'DESCRIBE TRANSACTIONAL_ID billing', `CLUSTER_ACTION CLUSTER ${cluster}`]
  expect(closed.asked).toEqual(rights)
})

// Transactions as a test sees them: what is open, and faults of each of their APIs.
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  type Api,
  DescribeProducers,
  DescribeTransactions,
  EndTxn,
  InitProducerId,
  ListTransactions,
  type RequestInputOf,
  TxnOffsetCommit,
  WriteTxnMarkers,
} from '@local-kafka-service/protocol'
import { Kafka as KafkaJs, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { type Kafka, startKafka } from '../index.ts'
import { WireMember } from './testing/wire-member.ts'

function aProducer(kafka: Kafka, transactionalId: string): ReturnType<KafkaJs['producer']> {
  const client = new KafkaJs({ ...kafka.clientConfig('kafkajs'), logLevel: logLevel.NOTHING })
  return client.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
}

test('a transaction is there with its producer, partitions and groups while it is open', async () => {
  await using kafka = await startKafka({ topics: { orders: 2, bills: 1 } })
  expect(await kafka.transactions()).toEqual([])
  const producer = aProducer(kafka, 'billing')
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'orders', messages: [{ value: 'a', partition: 1 }] })
  await transaction.send({ topic: 'bills', messages: [{ value: 'b', partition: 0 }] })
  await transaction.sendOffsets({ consumerGroupId: 'g', topics: [{ topic: 'orders', partitions: [{ partition: 0, offset: '7' }] }] })
  const startedAt = new Date(kafka.clock.now())
  const [open] = await kafka.transactions()
  expect(open).toEqual({
    transactionalId: 'billing',
    state: 'Ongoing',
    producerId: expect.any(Number),
    producerEpoch: 0,
    timeoutMs: 60_000,
    startedAt: expect.any(Date),
    coordinator: expect.any(Number),
    partitions: [
      { topic: 'bills', partition: 0 },
      { topic: 'orders', partition: 1 },
    ],
    groups: ['g'],
  })
  expect(Math.abs(Number(open?.startedAt) - Number(startedAt))).toBeLessThan(5_000)
  await transaction.commit()
  expect(await kafka.transactions()).toMatchObject([{ state: 'CompleteCommit', startedAt: undefined, partitions: [], groups: [] }])
  await producer.disconnect()
})

test('a group whose offsets are committed by a transaction has caught up when it ends', async () => {
  await using kafka = await startKafka({ topics: { orders: 1, bills: 1 } })
  await kafka.produce('orders', 'a', 'b')
  const producer = aProducer(kafka, 'billing')
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'bills', messages: [{ value: 'b', partition: 0 }] })
  await transaction.sendOffsets({ consumerGroupId: 'g', topics: [{ topic: 'orders', partitions: [{ partition: 0, offset: '2' }] }] })
  const caughtUp = kafka.group('g').caughtUp()
  await transaction.commit()
  await caughtUp
  await producer.disconnect()
})

test('after a lost answer to EndTxn the transaction is committed, and the same request again is answered alike', async () => {
  await using kafka = await startKafka({ topics: { orders: 1 } })
  using first = await WireMember.open({ port: kafka.port, clientId: 'first', groupId: 'g' })
  using second = await WireMember.open({ port: kafka.port, clientId: 'second', groupId: 'g' })
  const { producerId, producerEpoch } = await first.ask(InitProducerId, 5, { transactionalId: 'billing', transactionTimeoutMs: 10_000 })
  await first.ask(AddPartitionsToTxn, 3, {
    v3AndBelowTransactionalId: 'billing',
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: [{ name: 'orders', partitions: [0] }],
  })
  const lost = kafka.faults.loseAck('EndTxn', { times: 1 })
  const asked = { transactionalId: 'billing', producerId, producerEpoch, committed: true }
  void first.ask(EndTxn, 5, asked)
  await expect.poll(() => kafka.requests({ api: 'EndTxn', outcome: 'lost' }).length).toBe(1)
  expect(await kafka.transactions()).toMatchObject([{ state: 'CompleteCommit', producerEpoch: producerEpoch + 1 }])
  expect(await second.ask(EndTxn, 5, asked)).toMatchObject({ errorCode: 0, producerId, producerEpoch: producerEpoch + 1 })
  expect(lost.hits).toBe(1)
  kafka.expectNoErrors()
})

test('the clock of the test ends a transaction that is open for too long, and removes an id that was not used for a week', async () => {
  await using kafka = await startKafka({ topics: { orders: 1 } })
  const producer = aProducer(kafka, 'billing')
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'orders', messages: [{ value: 'a' }] })
  await kafka.clock.advance('59s')
  expect(await kafka.transactions()).toMatchObject([{ state: 'Ongoing' }])
  await kafka.clock.advance('20s')
  await expect.poll(() => kafka.transactions()).toMatchObject([{ state: 'CompleteAbort', producerEpoch: 1 }])
  await expect(transaction.commit()).rejects.toThrow()
  await kafka.clock.advance('6d')
  expect(await kafka.transactions()).toMatchObject([{ state: 'CompleteAbort' }])
  await kafka.clock.advance('26h')
  await expect.poll(() => kafka.transactions()).toEqual([])
  await producer.disconnect()
})

const requests = [
  [InitProducerId, 5, { transactionalId: 't', transactionTimeoutMs: 1_000 }],
  [
    AddPartitionsToTxn,
    3,
    {
      v3AndBelowTransactionalId: 't',
      v3AndBelowProducerId: 1,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: [{ name: 'orders', partitions: [0] }],
    },
  ],
  [AddOffsetsToTxn, 3, { transactionalId: 't', producerId: 1, producerEpoch: 0, groupId: 'g' }],
  [
    TxnOffsetCommit,
    5,
    {
      transactionalId: 't',
      groupId: 'g',
      producerId: 1,
      producerEpoch: 0,
      memberId: '',
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }],
    },
  ],
  [EndTxn, 5, { transactionalId: 't', producerId: 1, producerEpoch: 0, committed: true }],
  [
    WriteTxnMarkers,
    1,
    {
      markers: [
        {
          producerId: 1,
          producerEpoch: 0,
          transactionResult: false,
          topics: [{ name: 'orders', partitionIndexes: [0] }],
          coordinatorEpoch: 0,
        },
      ],
    },
  ],
  [DescribeProducers, 0, { topics: [{ name: 'orders', partitionIndexes: [0] }] }],
  [DescribeTransactions, 0, { transactionalIds: ['t'] }],
  [ListTransactions, 1, { stateFilters: [], producerIdFilters: [], durationFilter: -1 }],
] as const satisfies readonly (readonly [Api, number, object])[]

test.each(requests.map(([api, version, request]) => [api.name, api, version, request] as const))(
  'a fault fails %s',
  async (name, api, version, request) => {
    await using kafka = await startKafka({ topics: { orders: 1 } })
    using client = await WireMember.open({ port: kafka.port, clientId: 'bare', groupId: 'g' })
    const fault = kafka.faults.fail(name, 'COORDINATOR_LOAD_IN_PROGRESS', { times: 1 })
    await client.ask<Api>(api, version, request as RequestInputOf<Api>)
    expect(fault.hits).toBe(1)
    expect(kafka.requests({ api: name })).toMatchObject([{ errors: [{ error: 'COORDINATOR_LOAD_IN_PROGRESS' }] }])
    kafka.expectNoErrors()
  },
)

// Transactions over the Kafka APIs: the flow of a producer by both protocols, and the errors of one that is fenced or too late. Long because it is one thing: what every API answers to the same producer.
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  ApiVersions,
  attributeBits,
  DescribeProducers,
  DescribeTransactions,
  EndTxn,
  errors,
  Fetch,
  InitProducerId,
  type KafkaErrorName,
  ListOffsets,
  ListTransactions,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  Produce,
  readBatchHeader,
  TxnOffsetCommit,
  WriteTxnMarkers,
} from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import { type AgentForTests, aBatch, anAgent, baseOffsets } from './testing/an-agent.ts'

const codeOf = (name: KafkaErrorName): number => errors[name].code

interface Producer {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

async function aProducer(kafka: AgentForTests, transactionalId = 'tx'): Promise<Producer> {
  const answer = await kafka.call(InitProducerId, 5, { transactionalId, transactionTimeoutMs: 60_000 })
  expect(answer.errorCode).toBe(0)
  return { transactionalId, producerId: answer.producerId, producerEpoch: answer.producerEpoch }
}

/** Produces one batch by name, and returns its error code. */
async function send(
  kafka: AgentForTests,
  { transactionalId, producerId, producerEpoch }: Producer,
  of: { readonly value: string; readonly version?: number; readonly baseSequence?: number; readonly partition?: number },
): Promise<number> {
  const { value, version = 12, baseSequence = 0, partition = 0 } = of
  const records = aBatch([value], {
    attributes: attributeBits.transactional,
    producer: { id: producerId, epoch: producerEpoch, baseSequence },
  })
  const topicData = [{ name: 't', partitionData: [{ index: partition, records }] }]
  const { responses } = await kafka.call(Produce, version, { transactionalId, acks: -1, timeoutMs: 1_000, topicData })
  return responses[0]?.partitionResponses[0]?.errorCode ?? -1
}

/** EndTxn of version 5, and the producer with its next epoch. */
async function end(kafka: AgentForTests, producer: Producer, committed: boolean): Promise<Producer> {
  const answer = await kafka.call(EndTxn, 5, { ...producer, committed })
  expect(answer.errorCode).toBe(0)
  return { ...producer, producerId: answer.producerId ?? -1, producerEpoch: answer.producerEpoch ?? -1 }
}

async function fetched(kafka: AgentForTests, isolationLevel: 0 | 1) {
  const topics = [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000 }] }]
  const { responses } = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, isolationLevel, topics })
  const found = responses[0]?.partitions[0]
  return {
    offsets: baseOffsets(found?.records ?? null),
    aborted: found?.abortedTransactions,
    stable: found?.lastStableOffset,
    high: found?.highWatermark,
  }
}

test('Produce 12 adds the partition by itself, and a committed transaction is visible with its marker after EndTxn is answered', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const producer = await aProducer(kafka)
  expect(await send(kafka, producer, { value: 'a' })).toBe(0)
  expect(await fetched(kafka, 1)).toEqual({ offsets: [], aborted: [], stable: 0, high: 1 })
  expect(await fetched(kafka, 0)).toEqual({ offsets: [0], aborted: null, stable: 0, high: 1 })
  const next = await end(kafka, producer, true)
  expect(next).toEqual({ ...producer, producerEpoch: producer.producerEpoch + 1 })
  expect(await fetched(kafka, 1)).toEqual({ offsets: [0, 1], aborted: [], stable: 2, high: 2 })
  // Each epoch begins at sequence 0.
  expect(await send(kafka, next, { value: 'b', baseSequence: 1 })).toBe(codeOf('OUT_OF_ORDER_SEQUENCE_NUMBER'))
  expect(await send(kafka, next, { value: 'b' })).toBe(0)
})

test('an aborted transaction is in the list of a consumer of committed records, and HTTP reads pass over its records', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const producer = await aProducer(kafka)
  await send(kafka, producer, { value: 'aborted' })
  const second = await end(kafka, producer, false)
  await send(kafka, second, { value: 'committed' })
  const open = await end(kafka, second, true)
  await send(kafka, open, { value: 'open' })
  const aborted = [{ producerId: producer.producerId, firstOffset: 0 }]
  expect(await fetched(kafka, 1)).toEqual({ offsets: [0, 1, 2, 3], aborted, stable: 4, high: 5 })
  const { records } = kafka.agent.operations
  const { signal } = new AbortController()
  const read = await records.read({ topic: 't', partition: 0, from: 'earliest', limit: 10, maxBytes: 10_000, waitMs: 0, signal })
  expect(read).toMatchObject({ kind: 'records', records: [{ offset: 2, value: Buffer.from('committed') }], next: 4 })
  const found = await records.query({ topic: 't', filter: {}, limit: 10, signal })
  expect(found).toMatchObject({ records: [{ offset: 2 }] })
  const newest = await records.newest({ topic: 't', filter: {}, limit: 10, signal })
  expect(newest).toMatchObject({ records: [{ offset: 2 }] })
  const latest = (isolationLevel: number) =>
    kafka.call(ListOffsets, 5, {
      replicaId: -1,
      isolationLevel,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    })
  expect((await latest(1)).topics[0]?.partitions[0]).toMatchObject({ offset: 4 })
  expect((await latest(0)).topics[0]?.partitions[0]).toMatchObject({ offset: 5 })
})

describe('the older protocol', () => {
  const partitions = [{ name: 't', partitions: [0] }]
  const add = (kafka: AgentForTests, producer: Producer, version: number, topics = partitions) =>
    kafka.call(AddPartitionsToTxn, version, {
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: topics,
    })

  test('Produce before 12 needs a partition that was added, and EndTxn before 5 keeps the epoch', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    const producer = await aProducer(kafka)
    expect(await send(kafka, producer, { value: 'a', version: 11 })).toBe(codeOf('TRANSACTION_ABORTABLE'))
    expect(await send(kafka, producer, { value: 'a', version: 10 })).toBe(codeOf('INVALID_TXN_STATE'))
    expect((await add(kafka, producer, 3)).resultsByTopicV3AndBelow?.[0]?.resultsByPartition[0]?.partitionErrorCode).toBe(0)
    expect(await send(kafka, producer, { value: 'a', version: 11 })).toBe(0)
    expect((await kafka.call(EndTxn, 4, { ...producer, committed: true })).errorCode).toBe(0)
    expect((await kafka.call(EndTxn, 4, { ...producer, committed: true })).errorCode).toBe(0)
    expect((await kafka.call(EndTxn, 4, { ...producer, committed: false })).errorCode).toBe(codeOf('INVALID_TXN_STATE'))
    expect(await send(kafka, producer, { value: 'late', version: 11, baseSequence: 1 })).toBe(codeOf('TRANSACTION_ABORTABLE'))
    expect((await fetched(kafka, 1)).offsets).toEqual([0, 1])
  })

  test('if one partition is rejected, none is added', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    const producer = await aProducer(kafka)
    const codes = async (version: number, one: Producer, topics = partitions) =>
      (await add(kafka, one, version, topics)).resultsByTopicV3AndBelow?.flatMap(({ resultsByPartition }) =>
        resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
      )
    expect(await codes(3, producer, [...partitions, { name: 'nowhere', partitions: [0] }])).toEqual([
      codeOf('OPERATION_NOT_ATTEMPTED'),
      codeOf('UNKNOWN_TOPIC_OR_PARTITION'),
    ])
    const old = { ...producer, producerEpoch: producer.producerEpoch + 1 }
    expect([await codes(3, old), await codes(1, old)]).toEqual([[codeOf('PRODUCER_FENCED')], [codeOf('INVALID_PRODUCER_EPOCH')]])
    expect(await codes(3, { ...producer, producerId: 999 })).toEqual([codeOf('INVALID_PRODUCER_ID_MAPPING')])
    const { transactionStates } = await kafka.call(DescribeTransactions, 0, { transactionalIds: ['tx'] })
    expect(transactionStates).toMatchObject([{ transactionState: 'Empty', topics: [] }])
  })

  test('a broker may ask whether a transaction has partitions', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t', 2)
    const producer = await aProducer(kafka)
    await add(kafka, producer, 3)
    const asked = { ...producer, verifyOnly: true, topics: [{ name: 't', partitions: [0] }] }
    const ask = async (topics = asked.topics) =>
      (await kafka.call(AddPartitionsToTxn, 5, { transactions: [{ ...asked, topics }] })).resultsByTransaction?.[0]?.topicResults[0]
        ?.resultsByPartition
    expect(await ask()).toEqual([{ partitionIndex: 0, partitionErrorCode: 0 }])
    expect(await ask([{ name: 't', partitions: [1, 0] }])).toEqual([
      { partitionIndex: 1, partitionErrorCode: codeOf('TRANSACTION_ABORTABLE') },
      { partitionIndex: 0, partitionErrorCode: 0 },
    ])
  })
})

test('a producer that was fenced is rejected by every API, in the words of its version', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const zombie = await aProducer(kafka)
  await send(kafka, zombie, { value: 'a' })
  const successor = await aProducer(kafka)
  expect(successor).toEqual({ ...zombie, producerEpoch: zombie.producerEpoch + 1 })
  // The open transaction was aborted.
  expect((await fetched(kafka, 1)).stable).toBe(2)
  const fenced = codeOf('PRODUCER_FENCED')
  const oldEpoch = codeOf('INVALID_PRODUCER_EPOCH')
  for (const version of [7, 11, 12]) expect(await send(kafka, zombie, { value: 'b', version, baseSequence: 1 })).toBe(oldEpoch)
  for (const [version, code] of [
    [5, fenced],
    [2, fenced],
    [1, oldEpoch],
  ] as const)
    expect((await kafka.call(EndTxn, version, { ...zombie, committed: true })).errorCode).toBe(code)
  for (const [version, code] of [
    [4, fenced],
    [1, oldEpoch],
  ] as const)
    expect((await kafka.call(AddOffsetsToTxn, version, { ...zombie, groupId: 'g' })).errorCode).toBe(code)
  for (const [version, code] of [
    [5, fenced],
    [3, oldEpoch],
  ] as const)
    expect((await kafka.call(InitProducerId, version, { ...zombie, transactionTimeoutMs: 1_000 })).errorCode).toBe(code)
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: null }] }]
  for (const version of [5, 4, 3, 0]) {
    const answer = await kafka.call(TxnOffsetCommit, version, { ...zombie, groupId: 'g', topics })
    expect(answer.topics[0]?.partitions[0]?.errorCode).toBe(oldEpoch)
  }
  expect((await kafka.call(EndTxn, 5, { ...zombie, transactionalId: 'nobody', committed: true })).errorCode).toBe(
    codeOf('INVALID_PRODUCER_ID_MAPPING'),
  )
})

test('no API takes the empty transactional id', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const producer = { ...(await aProducer(kafka)), transactionalId: '' }
  const invalid = codeOf('INVALID_REQUEST')
  expect((await kafka.call(EndTxn, 5, { ...producer, committed: true })).errorCode).toBe(invalid)
  expect((await kafka.call(AddOffsetsToTxn, 4, { ...producer, groupId: 'g' })).errorCode).toBe(invalid)
  const { resultsByTransaction } = await kafka.call(AddPartitionsToTxn, 5, {
    transactions: [{ ...producer, topics: [{ name: 't', partitions: [0] }] }],
  })
  expect(resultsByTransaction?.[0]?.topicResults[0]?.resultsByPartition).toEqual([{ partitionIndex: 0, partitionErrorCode: invalid }])
})

test('a consumer of committed records finds no offset of an open transaction by time', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const producer = await aProducer(kafka)
  await send(kafka, producer, { value: 'open' })
  const at = async (isolationLevel: number, timestamp: number) => {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }]
    return (await kafka.call(ListOffsets, 7, { replicaId: -1, isolationLevel, topics })).topics[0]?.partitions[0]?.offset
  }
  for (const timestamp of [0, -3]) {
    expect(await at(0, timestamp)).toBe(0)
    expect(await at(1, timestamp)).toBe(-1)
  }
  await end(kafka, producer, true)
  expect(await at(1, 0)).toBe(0)
})

test('an error of a fetch has no list of aborted transactions', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const topics = [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 7, partitionMaxBytes: 100_000 }] }]
  const { responses } = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, isolationLevel: 1, topics })
  expect(responses[0]?.partitions[0]).toMatchObject({ errorCode: codeOf('OFFSET_OUT_OF_RANGE'), abortedTransactions: null })
})

test.each([
  [0, 'INVALID_TRANSACTION_TIMEOUT'],
  [900_001, 'INVALID_TRANSACTION_TIMEOUT'],
  [900_000, 'NONE'],
] as const)('a time-out of %i ms: %s', async (transactionTimeoutMs, error) => {
  await using kafka = await anAgent()
  const { errorCode } = await kafka.call(InitProducerId, 4, { transactionalId: 'tx', transactionTimeoutMs })
  expect(errorCode).toBe(codeOf(error))
})

test('a request with the transactional batches of two producers is rejected', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 2)
  const batchOf = (id: number) => aBatch(['v'], { attributes: attributeBits.transactional, producer: { id, epoch: 0, baseSequence: 0 } })
  const partitionData = [0, 1].map((index) => ({ index, records: batchOf(index) }))
  const asked = { transactionalId: 'tx', acks: -1, timeoutMs: 1_000, topicData: [{ name: 't', partitionData }] }
  const { responses } = await kafka.call(Produce, 9, asked)
  const codes = responses[0]?.partitionResponses.map(({ errorCode }) => errorCode)
  expect(codes).toEqual([codeOf('INVALID_PRODUCER_ID_MAPPING'), codeOf('INVALID_PRODUCER_ID_MAPPING')])
})

describe('offsets', () => {
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: 'm' }] }]
  const commit = async (kafka: AgentForTests, producer: Producer, version: number, more: object = {}) => {
    const answer = await kafka.call(TxnOffsetCommit, version, { ...producer, groupId: 'g', topics, ...more })
    return answer.topics[0]?.partitions[0]?.errorCode
  }
  const committed = async (kafka: AgentForTests, requireStable: boolean) => {
    const asked = { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }], requireStable }
    const [partition] = (await kafka.call(OffsetFetch, 7, asked)).topics?.[0]?.partitions ?? []
    const all = (await kafka.call(OffsetFetch, 7, { ...asked, topics: null })).topics?.[0]?.partitions[0]
    if (all !== undefined) expect(all).toEqual(partition)
    return [partition?.committedOffset, partition?.errorCode]
  }

  test('they are pending until the transaction is committed, and a stable read waits for them', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    const before = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: null }] }]
    await kafka.call(OffsetCommit, 7, { groupId: 'g', memberId: '', topics: before })
    const producer = await aProducer(kafka)
    expect(await commit(kafka, producer, 5)).toBe(0)
    expect(await committed(kafka, false)).toEqual([3, 0])
    expect(await committed(kafka, true)).toEqual([-1, codeOf('UNSTABLE_OFFSET_COMMIT')])
    const next = await end(kafka, producer, true)
    expect(await committed(kafka, true)).toEqual([7, 0])
    expect(
      await commit(kafka, next, 5, {
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 9, committedMetadata: null }] }],
      }),
    ).toBe(0)
    await end(kafka, next, false)
    expect(await committed(kafka, true)).toEqual([7, 0])
  })

  test('over a pending offset a commit without a transaction stays, because it was sent later, and before one it does not', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    const producer = await aProducer(kafka)
    const plainly = async (committedOffset: number): Promise<void> => {
      const asked = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: null }] }]
      await kafka.call(OffsetCommit, 7, { groupId: 'g', memberId: '', topics: asked })
    }
    expect(await commit(kafka, producer, 5)).toBe(0)
    await plainly(5)
    expect(await committed(kafka, true)).toEqual([-1, codeOf('UNSTABLE_OFFSET_COMMIT')])
    const next = await end(kafka, producer, true)
    expect(await committed(kafka, true)).toEqual([5, 0])
    await plainly(6)
    expect(await commit(kafka, next, 5)).toBe(0)
    await end(kafka, next, true)
    expect(await committed(kafka, true)).toEqual([7, 0])
  })

  test('an offset that is deleted while it is pending does not come back with the commit', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    const producer = await aProducer(kafka)
    expect(await commit(kafka, producer, 5)).toBe(0)
    const { errorCode } = await kafka.call(OffsetDelete, 0, { groupId: 'g', topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }] })
    expect(errorCode).toBe(0)
    expect(await committed(kafka, true)).toEqual([-1, 0])
    await end(kafka, producer, true)
    expect(await committed(kafka, true)).toEqual([-1, 0])
  })

  test('before version 5 the group must have been added', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    const producer = await aProducer(kafka)
    expect([await commit(kafka, producer, 4), await commit(kafka, producer, 3)]).toEqual([
      codeOf('TRANSACTION_ABORTABLE'),
      codeOf('INVALID_TXN_STATE'),
    ])
    expect((await kafka.call(AddOffsetsToTxn, 4, { ...producer, groupId: 'g' })).errorCode).toBe(0)
    expect(await commit(kafka, producer, 3)).toBe(0)
    await kafka.call(EndTxn, 3, { ...producer, committed: true })
    expect(await committed(kafka, true)).toEqual([7, 0])
  })

  test('a member that does not exist, and a topic that does not', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    const producer = await aProducer(kafka)
    expect(await commit(kafka, producer, 5)).toBe(0)
    expect(await commit(kafka, producer, 5, { memberId: 'nobody', generationId: 3 })).toBe(codeOf('UNKNOWN_MEMBER_ID'))
    const nowhere = [{ name: 'nowhere', partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: null }] }]
    expect(await commit(kafka, producer, 5, { topics: nowhere })).toBe(codeOf('UNKNOWN_TOPIC_OR_PARTITION'))
  })
})

describe('tools', () => {
  test('list and describe show open transactions, by state, producer, duration and pattern', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    const producer = await aProducer(kafka)
    const other = await aProducer(kafka, 'other')
    await send(kafka, producer, { value: 'a' })
    const list = async (more: object) => {
      const answer = await kafka.call(ListTransactions, 2, { stateFilters: [], producerIdFilters: [], ...more })
      return [
        answer.transactionStates.map(({ transactionalId, transactionState }) => `${transactionalId} ${transactionState}`),
        answer.errorCode,
      ]
    }
    expect(await list({})).toEqual([['other Empty', 'tx Ongoing'], 0])
    expect(await list({ stateFilters: ['Ongoing', 'Odd'] })).toEqual([['tx Ongoing'], 0])
    expect(await list({ producerIdFilters: [other.producerId] })).toEqual([['other Empty'], 0])
    expect(await list({ durationFilter: 100_000 })).toEqual([[], 0])
    expect(await list({ transactionalIdPattern: 't.' })).toEqual([['tx Ongoing'], 0])
    expect(await list({ transactionalIdPattern: '[' })).toEqual([[], codeOf('INVALID_REGULAR_EXPRESSION')])
    const { transactionStates } = await kafka.call(DescribeTransactions, 0, { transactionalIds: ['tx', 'nobody', ''] })
    expect(transactionStates).toMatchObject([
      { errorCode: 0, transactionState: 'Ongoing', transactionTimeoutMs: 60_000, ...producer, topics: [{ topic: 't', partitions: [0] }] },
      { errorCode: codeOf('TRANSACTIONAL_ID_NOT_FOUND') },
      { errorCode: codeOf('INVALID_REQUEST') },
    ])
  })

  test("a transaction that hangs is aborted as Kafka's admin client does it", async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    const { producerId, producerEpoch, ...producer } = await aProducer(kafka)
    await send(kafka, { ...producer, producerId, producerEpoch }, { value: 'a' })
    const described = await kafka.call(DescribeProducers, 0, { topics: [{ name: 't', partitionIndexes: [0] }] })
    expect(described.topics[0]?.partitions[0]?.activeProducers).toMatchObject([{ producerId, producerEpoch, currentTxnStartOffset: 0 }])
    const marker = { producerId, producerEpoch, coordinatorEpoch: 0, topics: [{ name: 't', partitionIndexes: [0] }] }
    const write = async (more: object) =>
      (await kafka.call(WriteTxnMarkers, 1, { markers: [{ ...marker, transactionResult: false, ...more }] })).markers[0]?.topics[0]
        ?.partitions
    expect(await write({ transactionResult: true })).toEqual([{ partitionIndex: 0, errorCode: codeOf('INVALID_REQUEST') }])
    expect(await write({ producerEpoch: producerEpoch - 1 })).toEqual([{ partitionIndex: 0, errorCode: codeOf('INVALID_PRODUCER_EPOCH') }])
    expect((await fetched(kafka, 1)).stable).toBe(0)
    expect(await write({})).toEqual([{ partitionIndex: 0, errorCode: 0 }])
    expect(await fetched(kafka, 1)).toMatchObject({ stable: 2, aborted: [{ producerId, firstOffset: 0 }] })
    expect(await write({})).toEqual([{ partitionIndex: 0, errorCode: 0 }])
    expect((await fetched(kafka, 1)).high).toBe(2)
  })

  test('ApiVersions says that transactions have version 2', async () => {
    await using kafka = await anAgent()
    const answer = await kafka.call(ApiVersions, 4, { clientSoftwareName: 'test', clientSoftwareVersion: '1' })
    expect(answer.finalizedFeatures).toEqual([{ name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 2 }])
    expect(answer.finalizedFeaturesEpoch).toBeGreaterThanOrEqual(0)
  })
})

test('a transaction that is open for too long is aborted, and its producer is fenced', async () => {
  await using kafka = await anAgent({
    settings: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': { value: '10', source: 'flag' } },
  })
  await kafka.topic('t')
  const { producerId, producerEpoch } = await kafka.call(InitProducerId, 4, { transactionalId: 'tx', transactionTimeoutMs: 1 })
  const producer = { transactionalId: 'tx', producerId, producerEpoch }
  await send(kafka, producer, { value: 'a' })
  await expect.poll(async () => (await fetched(kafka, 1)).stable).toBe(2)
  expect(await send(kafka, producer, { value: 'b', baseSequence: 1 })).toBe(codeOf('INVALID_PRODUCER_EPOCH'))
  expect((await kafka.call(EndTxn, 5, { ...producer, committed: true })).errorCode).toBe(codeOf('INVALID_TXN_STATE'))
})

test('a marker has the epoch after that of its transaction', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const producer = await aProducer(kafka)
  await send(kafka, producer, { value: 'a' })
  await end(kafka, producer, true)
  const topics = [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 100_000 }] }]
  const { responses } = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, topics })
  const marker = readBatchHeader(responses[0]?.partitions[0]?.records ?? new Uint8Array(), 0)
  expect(marker).toMatchObject({
    baseOffset: 1,
    producerId: producer.producerId,
    producerEpoch: producer.producerEpoch + 1,
    baseSequence: -1,
  })
})

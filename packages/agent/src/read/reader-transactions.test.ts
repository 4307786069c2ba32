// Reading a log with transactions: markers are made for each reader, and a reader of committed records ends at the last stable offset.
import { batchSizeAt, buildBatch, crc32c, readBatchHeader } from '@local-kafka-service/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { must } from '../core/assert.ts'
import { partitionKey } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { slotOfPartition } from '../core/slots.ts'
import { defaultLimits } from '../limits.ts'
import type { CommitBatch, Registration, Topic } from '../metadata/metadata-store.ts'
import type { OpenedMetadata } from '../metadata/open.ts'
import type { Sql } from '../metadata/sql.ts'
import { openSqlite } from '../metadata/sqlite.ts'
import { aBatch, aTopic, committed, day, openCluster, registered } from '../metadata/testing/a-cluster.ts'
import type { AbortedIn } from '../metadata/transaction-store.ts'
import type { Transactions } from '../metadata/transactions.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'
import { CachedObjects } from '../objects/wrappers/cached.ts'
import { systemClock } from '../time/system-clock.ts'
import { Turns } from '../time/turns.ts'
import { Owners } from '../view/owners.ts'
import { Tails } from '../view/tails.ts'
import { abortedIn } from './aborted-transactions.ts'
import { DamageReports } from './damage.ts'
import { Follower } from './follower.ts'
import { type FetchAnswer, Reader } from './reader.ts'
import { SegmentReader } from './segment-reader.ts'

let sql: Sql<Transactions>
let store: OpenedMetadata
let me: Registration
let topic: Topic
let tails: Tails
let reader: Reader
let objects: MemoryObjects
let sequence = 0
/** How often the database was asked for aborted transactions. */
let reads = 0

beforeEach(async () => {
  sql = openSqlite({ path: ':memory:', durability: 'memory', now: () => 1_000 })
  store = await openCluster(sql)
  me = await registered(store, 'me')
  topic = await aTopic(store)
  objects = new MemoryObjects()
  sequence = 0
  reads = 0
  const owners = new Owners({ slots: store.slots, brokerId: me.brokerId, incarnation: me.incarnation })
  owners.publishSlots(me.slots)
  const emit = (): void => {}
  tails = new Tails((asked) => store.log.partitions(asked), defaultLimits)
  reader = new Reader({
    log: store.log,
    segments: new SegmentReader({
      objects: new CachedObjects(objects, { maxBytes: 0 }),
      crc32c,
      emit,
      damage: new DamageReports({ emit, topicName: () => undefined }),
      limits: defaultLimits,
    }),
    tails,
    follower: new Follower({ log: store.log, tails, owners, clock: systemClock }),
    clock: systemClock,
    turns: new Turns(systemClock),
    crc32c,
    limits: defaultLimits,
  })
})
afterEach(() => sql.close())

test('a reader of committed records ends at the last stable offset, and receives the marker when it moves', async () => {
  const producer = await aProducer()
  await append()
  await append(producer)
  await append()
  expect(await offsetsFrom(0, { readCommitted: true })).toEqual(['0'])
  expect(await offsetsFrom(0)).toEqual(['0', '1', '2'])
  expect(await offsetsFrom(1, { readCommitted: true })).toEqual([])
  await end(producer)
  for (const readCommitted of [true, false]) expect(await offsetsFrom(0, { readCommitted })).toEqual(['0', '1', '2', 'marker 3'])
  expect(await offsetsFrom(3)).toEqual(['marker 3'])
  expect(await offsetsFrom(4)).toEqual([])
})

test('a marker after the last stable offset is not sent to readers of committed records', async () => {
  const [first, second] = [await aProducer('first'), await aProducer('second')]
  await append(first, 'first')
  await append(second, 'second')
  await end(first, 'first')
  expect(await offsetsFrom(0, { readCommitted: true })).toEqual(['0'])
  expect(await offsetsFrom(0)).toEqual(['0', '1', 'marker 2'])
})

test('a marker has its place in the budget of an answer, but the first batch is always sent', async () => {
  const producer = await aProducer()
  await append(producer)
  await end(producer)
  const all = await fetched(0, { maxBytes: 10_000 })
  expect(await offsetsFrom(0, { maxBytes: sizeOf(all) - 1 })).toEqual(['0'])
  expect(await offsetsFrom(1, { maxBytes: 1 })).toEqual(['marker 1'])
})

test('a reader that has no tail in memory finds the markers in the database', async () => {
  const producer = await aProducer()
  await append(producer)
  await end(producer)
  tails.forget(() => true)
  expect(await offsetsFrom(0, { readCommitted: true })).toEqual(['0', 'marker 1'])
})

test('the aborted transactions of an answer are those that overlap it, and only a log that has any is asked for them', async () => {
  const [first, second] = [await aProducer('first'), await aProducer('second')]
  await append(first, 'first')
  await append(second, 'second')
  await end(first, 'first')
  expect([await abortedFrom(0), reads]).toEqual([[], 0])
  await end(second, 'second', 'abort')
  const ofSecond = { producerId: second.producerId, firstOffset: 1 }
  expect(await offsetsFrom(0, { readCommitted: true })).toEqual(['0', '1', 'marker 2', 'marker 3'])
  expect([await abortedFrom(0), await abortedFrom(2), reads]).toEqual([[ofSecond], [ofSecond], 2])
  expect(await abortedFrom(0, { maxBytes: 1 })).toEqual([])
  reads = 0
  await append()
  expect([await abortedFrom(4), await abortedFrom(5), reads]).toEqual([[], [], 0])
  tails.forget(() => true)
  expect([await abortedFrom(4), reads, await abortedFrom(3), reads]).toEqual([[], 0, [ofSecond], 1])
})

interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

async function aProducer(transactionalId = 'id'): Promise<Producer> {
  const request = { kind: 'init', timeoutMs: 1_000, expected: undefined } as const
  const newProducerId = await store.log.allocateProducerIds(1)
  const answer = await store.transactions.decide({ transactionalId, request, newProducerId, incarnation: me.incarnation })
  if (answer.kind !== 'decided') throw new Error(answer.kind)
  return must(answer.row, 'the row of a producer')
}

/** Stores one record in an object of its own, commits and publishes it. */
async function append(producer?: Producer, transactionalId = 'id'): Promise<void> {
  sequence += 1
  const record = { offsetDelta: 0, timestamp: 500, key: null, value: Buffer.from('value'), headers: [] }
  const bytes = buildBatch({ baseTimestamp: 500, records: [record] }, crc32c)
  await objects.put(objectKey(store.clusterId, me.incarnation, sequence), [bytes])
  const inTransaction: Partial<CommitBatch> =
    producer === undefined ? {} : { ...producer, baseSequence: 0, transaction: { transactionalId, transactionNumber: null } }
  const slot = must(me.slots[slotOfPartition(topic.topicId, 0, store.slots)], 'the slot of the partition')
  const batch = aBatch(topic, me, store, { ...inTransaction, epoch: slot.epoch, sizeBytes: bytes.length, maxTimestamp: 500 })
  const input = { incarnation: me.incarnation, prev: sequence - 1, sequence, object: { sizeBytes: bytes.length, checksum: 1 } }
  const { grown } = await committed(store.log.commit({ ...input, batches: [batch], producerIdExpirationMs: day }))
  tails.publish(grown)
}

/** The aborted transactions in the answer of a reader of committed records. */
async function abortedFrom(offset: number, options: { readonly maxBytes?: number } = {}): Promise<readonly unknown[]> {
  const ask = { topicId: topic.topicId, partition: 0, offset, maxBytes: 10_000 }
  const answer = await fetched(offset, { ...options, readCommitted: true })
  const aborted = (asks: readonly AbortedIn[]) => {
    reads += 1
    return store.transactions.aborted(asks)
  }
  const found = (await abortedIn([ask], [answer], { tails, transactionStore: { aborted } })).get(partitionKey(topic.topicId, 0)) ?? []
  return found.map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
}

async function end(producer: Producer, transactionalId = 'id', outcome: 'commit' | 'abort' = 'commit'): Promise<void> {
  const request = { kind: 'end', producer, outcome, transactionVersion: 2 } as const
  const answer = await store.transactions.decide({ transactionalId, request, incarnation: me.incarnation })
  if (answer.kind !== 'decided' || answer.grown === 'unknown') throw new Error(answer.kind)
  tails.publish(answer.grown)
}

async function fetched(
  offset: number,
  { readCommitted = false, maxBytes = 10_000 }: { readonly readCommitted?: boolean; readonly maxBytes?: number } = {},
): Promise<FetchAnswer> {
  const asks = [{ topicId: topic.topicId, partition: 0, offset, maxBytes }]
  const signal = new AbortController().signal
  const answers = await reader.fetch(asks, { maxWaitMs: 0, minBytes: 1, maxBytes: 10_000, readCommitted, signal })
  return must(answers[0], 'the answer of the partition')
}

function sizeOf(answer: FetchAnswer): number {
  return answer.kind === 'data' ? answer.sizeBytes : -1
}

/** The base offset of each batch in the answer. */
async function offsetsFrom(offset: number, options: Parameters<typeof fetched>[1] = {}): Promise<readonly string[]> {
  const answer = await fetched(offset, options)
  if (answer.kind === 'error') return [answer.error]
  const bytes = Buffer.concat(answer.chunks)
  const found: string[] = []
  for (let at = 0; at < bytes.length; at += must(batchSizeAt(bytes, at), 'the size of a batch')) {
    const { baseOffset, attributes } = readBatchHeader(bytes, at)
    found.push((attributes & 0x20) === 0 ? String(baseOffset) : `marker ${baseOffset}`)
  }
  return found
}

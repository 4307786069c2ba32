// Passes of log compaction over a log with transactions: aborted records go and supersede nothing, and markers go when nothing needs them any more.
import { attributeBits, buildBatch, RecordTable, readBatchHeader, readRecords } from '@local-kafka-service/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nativeCrc32c, nodeCodecs } from '../codecs.ts'
import { must } from '../core/assert.ts'
import { batchesOf } from '../core/log/compaction/compact-segment.ts'
import { markerOutcome } from '../core/log/control-batch.ts'
import { objectKey } from '../core/object-key.ts'
import { defaultLimits } from '../limits.ts'
import type { CommitBatch, Registration, Segment, Topic } from '../metadata/metadata-store.ts'
import type { OpenedMetadata } from '../metadata/open.ts'
import type { Sql } from '../metadata/sql.ts'
import { openSqlite } from '../metadata/sqlite.ts'
import { aBatch, aNonce, aTopic, committed, day, openCluster, registered } from '../metadata/testing/a-cluster.ts'
import type { Transactions } from '../metadata/transactions.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'
import { systemClock } from '../time/system-clock.ts'
import { Turns } from '../time/turns.ts'
import { CompactionPass } from './compaction-pass.ts'
import { workInTurns } from './compaction-work.ts'

let sql: Sql<Transactions>
let store: OpenedMetadata
let me: Registration
let topic: Topic
let objects: MemoryObjects
let sequence = 0
let nowMs = 0
let producerIdExpirationMs = day
const signal = new AbortController().signal

beforeEach(async () => {
  nowMs = 1_000_000
  producerIdExpirationMs = day
  sql = openSqlite({ path: ':memory:', durability: 'memory', now: () => nowMs })
  store = await openCluster(sql)
  me = await registered(store, 'me')
  topic = await aTopic(store)
  objects = new MemoryObjects()
  sequence = 0
})
afterEach(() => sql.close())

test('aborted records go and supersede nothing, markers stay, and the records of an open transaction are not looked at', async () => {
  const producer = await aProducer('aborts')
  await append('a', 'kept')
  await append('a', 'aborted', { ...producer, baseSequence: 0, transaction: { transactionalId: 'aborts', transactionNumber: null } })
  const request = { kind: 'end', producer, outcome: 'abort', transactionVersion: 2 } as const
  await store.transactions.decide({ transactionalId: 'aborts', request, incarnation: me.incarnation })
  await append('b', 'superseded')
  await append('b', 'kept')
  const other = await aProducer('stays open')
  await append('b', 'open', { ...other, baseSequence: 0, transaction: { transactionalId: 'stays open', transactionNumber: null } })
  await append('b', 'after')
  expect(await compacted()).toBe('compacted')
  expect(await left()).toEqual(['0 a=kept', '2 abort', '4 b=kept', '5 b=open', '6 b=after'])
})

test('markers of transactions without records go after delete.retention.ms, and so does the list of what they aborted', async () => {
  const producer = await aProducer('id')
  await appendIn('id', producer, 'a=aborted')
  await end('id', producer, 'abort')
  const next = { ...producer, producerEpoch: 1 }
  await appendIn('id', next, 'a=superseded')
  await end('id', next, 'commit')
  await append('a', 'last')
  expect(await compacted()).toBe('compacted')
  expect(await left()).toEqual(['1 abort', '3 commit', '4 a=last'])
  // From here on the markers are bytes.
  expect((await segments()).filter(({ marker }) => marker !== undefined)).toEqual([])
  expect(await aborted()).toMatchObject([{ producerId: producer.producerId, firstOffset: 0, markerOffset: 1 }])
  await append('b', 'then')
  expect(await compacted()).toBe('compacted')
  nowMs += day - 1
  await append('c', 'then')
  expect(await compacted()).toBe('compacted')
  expect(await left()).toEqual(['1 abort', '3 commit', '4 a=last', '5 b=then', '6 c=then'])
  expect(await aborted()).toHaveLength(1)
  nowMs += 1
  await append('d', 'then')
  expect(await compacted()).toBe('compacted')
  // The last marker of the producer, which still lives, has no record any more.
  expect(await left()).toEqual(['3 empty', '4 a=last', '5 b=then', '6 c=then', '7 d=then'])
  expect(await aborted()).toEqual([])
  producerIdExpirationMs = 0
  nowMs += 1
  await append('e', 'then')
  expect(await compacted()).toBe('compacted')
  expect(await left()).toEqual(['4 a=last', '5 b=then', '6 c=then', '7 d=then', '8 e=then'])
})

test('markers stay for the time that readers have for replaced segments, also if delete.retention.ms is less', async () => {
  const producer = await aProducer('id')
  await appendIn('id', producer, 'a=aborted')
  await end('id', producer, 'abort')
  producerIdExpirationMs = 0
  for (const key of ['b', 'c']) {
    await append(key, 'then')
    expect(await compacted(0)).toBe('compacted')
  }
  nowMs += defaultLimits.readersGraceMs - 1
  await append('d', 'then')
  expect(await compacted(0)).toBe('compacted')
  expect(await left()).toEqual(['1 abort', '2 b=then', '3 c=then', '4 d=then'])
  nowMs += 1
  await append('e', 'then')
  expect(await compacted(0)).toBe('compacted')
  expect(await left()).toEqual(['2 b=then', '3 c=then', '4 d=then', '5 e=then'])
})

async function appendIn(transactionalId: string, producer: Producer, keyAndValue: string): Promise<void> {
  const [key = '', value = ''] = keyAndValue.split('=')
  await append(key, value, { ...producer, baseSequence: 0, transaction: { transactionalId, transactionNumber: null } })
}

async function end(transactionalId: string, producer: Producer, outcome: 'commit' | 'abort'): Promise<void> {
  const request = { kind: 'end', producer, outcome, transactionVersion: 2 } as const
  expect(await store.transactions.decide({ transactionalId, request, incarnation: me.incarnation })).toMatchObject({ kind: 'decided' })
}

async function aborted(): Promise<readonly unknown[]> {
  const [found] = await store.transactions.aborted([{ topicId: topic.topicId, partition: 0, fromOffset: 0, untilOffset: 100 }])
  return must(found, 'the aborted transactions of a range')
}

async function segments(): Promise<readonly Segment[]> {
  const [found] = await store.log.find([{ topicId: topic.topicId, partition: 0, offset: 0, maxBytes: 1e9, maxSegments: 100 }])
  return found?.kind === 'found' ? found.segments : []
}

async function compacted(deleteRetentionMs = day): Promise<string> {
  const place = { topicId: topic.topicId, partition: 0 }
  const [state] = await store.swaps.compactions([{ ...place, segmentMs: 0, segmentBytes: 0, minLagMs: 0 }])
  let jobSequence = 0
  const pass = new CompactionPass(
    {
      clusterId: store.clusterId,
      log: store.log,
      swaps: store.swaps,
      transactions: store.transactions,
      objects,
      readSegment: async (_, segment) => await bytesOf(segment),
      onSwapped: () => {},
      now: () => nowMs,
      crc32c: nativeCrc32c,
      producerIdExpirationMs: () => producerIdExpirationMs,
      limits: defaultLimits,
    },
    {
      ...place,
      state: must(state, 'the state of the log'),
      epoch: 1,
      deleteRetentionMs,
      job: await store.swaps.beginJob({ job: 'compaction', nonce: aNonce() }),
      work: workInTurns({ turns: new Turns(systemClock), crc32c: nativeCrc32c, codecs: nodeCodecs }, defaultLimits),
      nextSequence: () => ++jobSequence,
      pace: async () => {},
      signal,
    },
  )
  return await pass.run()
}

/** The records and markers of the log, and markers that are empty. */
async function left(): Promise<readonly string[]> {
  const lines: string[] = []
  for (const segment of await segments()) {
    if (segment.marker !== undefined) lines.push(`${segment.baseOffset} ${segment.marker.outcome}`)
    const bytes = await bytesOf(segment)
    for (const { at, baseOffset } of batchesOf({ bytes, baseOffset: segment.baseOffset }))
      if ((readBatchHeader(bytes, at).attributes & attributeBits.control) !== 0)
        lines.push(`${baseOffset} ${markerOutcome(bytes, at, { codecs: nodeCodecs, records: new RecordTable() }) ?? 'empty'}`)
      else
        for (const { offsetDelta, key, value } of readRecords(bytes, at, nodeCodecs, 1_000))
          lines.push(`${baseOffset + offsetDelta} ${textOf(key)}=${textOf(value)}`)
  }
  return lines
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? 'null' : Buffer.from(bytes).toString()
}

async function bytesOf({ objectKey: key, byteStart, sizeBytes }: Segment): Promise<Uint8Array> {
  if (sizeBytes === 0) return new Uint8Array()
  return Uint8Array.from(await objects.read(key, { start: byteStart, length: sizeBytes }, signal))
}

interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

async function aProducer(transactionalId: string): Promise<Producer> {
  const request = { kind: 'init', timeoutMs: 1_000, expected: undefined } as const
  const newProducerId = await store.log.allocateProducerIds(1)
  const answer = await store.transactions.decide({ transactionalId, request, newProducerId, incarnation: me.incarnation })
  const row = answer.kind === 'decided' ? answer.row : undefined
  return { producerId: must(row?.producerId, 'the id of a producer'), producerEpoch: 0 }
}

/** Commits one record in an object of its own. */
async function append(key: string, value: string, more: Partial<CommitBatch> = {}): Promise<void> {
  sequence += 1
  const record = { offsetDelta: 0, timestamp: 500, key: Buffer.from(key), value: Buffer.from(value), headers: [] }
  const { producerId = -1, producerEpoch = -1, baseSequence = -1, transaction } = more
  const producer = { id: producerId, epoch: producerEpoch, baseSequence }
  const attributes = transaction === undefined ? 0 : 0x10
  const bytes = buildBatch({ baseTimestamp: 500, records: [record], attributes, ...(producerId >= 0 && { producer }) }, nativeCrc32c)
  await objects.put(objectKey(store.clusterId, me.incarnation, sequence), [bytes])
  const batch = aBatch(topic, me, store, { ...more, sizeBytes: bytes.length, maxTimestamp: 500 })
  const input = { incarnation: me.incarnation, prev: sequence - 1, sequence, object: { sizeBytes: bytes.length, checksum: 1 } }
  const { verdicts } = await committed(store.log.commit({ ...input, batches: [batch], producerIdExpirationMs: day }))
  expect(verdicts).toMatchObject([{ kind: 'appended' }])
}

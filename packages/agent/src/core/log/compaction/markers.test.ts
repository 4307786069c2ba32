// Log compaction and the markers of transactions: a marker stays while there are batches of its transaction, and then until its delete horizon.
import { attributeBits, buildBatch, checkBatch, RecordTable, readBatchHeader } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { nativeCrc32c, nodeCodecs } from '../../../codecs.ts'
import type { TransactionResult } from '../../transaction/transaction-row.ts'
import { controlBatch, markerOutcome } from '../control-batch.ts'
import { isFiller } from '../empty-batch.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import type { RememberedProducer } from './compact-batch.ts'
import { batchesOf, compactSegment, type SegmentRules } from './compact-segment.ts'
import { CompactedSegments } from './compacted-segments.ts'

const readers = { crc32c: nativeCrc32c, codecs: nodeCodecs, records: new RecordTable() }
const day = 86_400_000

interface Pass {
  readonly nowMs?: number
  readonly endOffset?: number
  readonly superseded?: readonly number[]
  readonly aborted?: readonly number[]
  readonly producers?: Readonly<Record<number, RememberedProducer>>
}

interface Compacted {
  readonly bytes: Uint8Array
  readonly differs: boolean
  readonly removedAborts: readonly number[]
}

/** One pass over the log, which is one segment from offset 0 on. `superseded` and `aborted` name records by their offsets. */
function compacted(bytes: Uint8Array, pass: Pass = {}): Compacted {
  const { nowMs = 0, endOffset = 1_000, superseded = [], aborted = [], producers = {} } = pass
  const rules: SegmentRules = {
    latest: {
      lastOffsetsOf: (_, offsets) => {
        const [at] = places.splice(0, 1)
        offsets.fill(superseded.includes(at ?? -1) ? Number.MAX_SAFE_INTEGER : -1)
      },
    },
    endOffset,
    nowMs,
    deleteRetentionMs: 0,
    markerRetentionMs: day,
    producerOf: (producerId) => producers[producerId],
    transactions: new CleanedTransactions(),
  }
  const isRead = (at: number, offset: number): boolean =>
    (readBatchHeader(bytes, at).attributes & attributeBits.control) === 0 &&
    !isFiller(readBatchHeader(bytes, at)) &&
    !aborted.includes(offset)
  const places = [...batchesOf({ bytes, baseOffset: 0 })]
    .filter(({ at, baseOffset, lastOffset }) => isRead(at, baseOffset) && lastOffset < endOffset)
    .map(({ baseOffset }) => baseOffset)
  const into = new CompactedSegments({ baseOffset: 0, segmentBytes: 10_000, crc32c: nativeCrc32c })
  const walk = compactSegment({ bytes, baseOffset: 0, isAborted: (_, offset) => aborted.includes(offset) }, rules, readers, into)
  let step = walk.next()
  while (step.done !== true) step = walk.next()
  const [last] = [...batchesOf({ bytes, baseOffset: 0 })].slice(-1)
  const { pieces, removedAborts } = into.finish((last?.lastOffset ?? -1) + 1)
  return { bytes: Buffer.concat(pieces), differs: step.value, removedAborts }
}

/** Record and marker of one producer each, from offset 0 on: `7` is a batch of the producer 7 in a transaction, `commit 7` and `abort 7` its markers. */
function logOf(...batches: readonly string[]): Uint8Array {
  return Buffer.concat(
    batches.map((words, offset) => {
      const [outcome, id] = words.split(' ')
      const marker = { producerId: Number(id), producerEpoch: 3, coordinatorEpoch: 1, leaderEpoch: 1 }
      if (outcome === 'commit' || outcome === 'abort') return controlBatch({ ...marker, outcome }, { offset, timestamp: 500 }, nativeCrc32c)
      const record = { offsetDelta: 0, timestamp: 500, key: Buffer.from('key'), value: Buffer.from('value'), headers: [] }
      const producer = { id: Number(words), epoch: 2, baseSequence: 0 }
      return buildBatch({ baseTimestamp: 500, records: [record], attributes: attributeBits.transactional, producer }, nativeCrc32c)
    }),
  )
}

/** The offsets of what is left, and of each marker what it says; `empty`: a batch that stands for a producer. */
function left(bytes: Uint8Array): readonly (string | number)[] {
  return [...batchesOf({ bytes, baseOffset: 0 })].flatMap(({ at, baseOffset }): (string | number)[] => {
    const header = readBatchHeader(bytes, at)
    if (isFiller(header)) return []
    if (header.recordCount === 0) return [`${baseOffset} empty`]
    if ((header.attributes & attributeBits.control) === 0) return [baseOffset]
    const horizon = (header.attributes & attributeBits.deleteHorizon) === 0 ? '' : ` until ${header.baseTimestamp}`
    return [`${baseOffset} ${markerOutcome(bytes, at, readers)}${horizon}`]
  })
}

test.each<[TransactionResult, Pass]>([
  ['commit', { superseded: [0] }],
  ['abort', { aborted: [0] }],
])(
  'a marker (%s) stays in the pass that removes the last batch, gets a horizon in the next, and goes in the first pass after that',
  (outcome, pass) => {
    const first = compacted(logOf('7', `${outcome} 7`, '8'), { ...pass, nowMs: 1_000 })
    expect(left(first.bytes)).toEqual([`1 ${outcome}`, 2])
    expect(first.removedAborts).toEqual([])
    const second = compacted(first.bytes, { nowMs: 2_000 })
    expect(left(second.bytes)).toEqual([`1 ${outcome} until ${2_000 + day}`, 2])
    const waiting = compacted(second.bytes, { nowMs: 1_999 + day })
    expect(waiting).toEqual({ bytes: second.bytes, differs: false, removedAborts: [] })
    const last = compacted(waiting.bytes, { nowMs: 2_000 + day })
    expect(left(last.bytes)).toEqual([2])
    // Commits are in no list.
    expect(last.removedAborts).toEqual(outcome === 'abort' ? [1] : [])
  },
)

test('a marker with a horizon has the same timestamp, producer and record as before', () => {
  const bytes = logOf('commit 7')
  const changed = compacted(bytes, { nowMs: 2_000 }).bytes
  const header = { producerId: 7, producerEpoch: 3, baseSequence: -1, recordCount: 1, maxTimestamp: 500 }
  expect(checkBatch(changed, 0, nativeCrc32c)).toMatchObject({ kind: 'ok', header })
  expect(markerOutcome(changed, 0, readers)).toBe('commit')
  expect(readers.records.places(Uint8Array.of(1))).toMatchObject([{ timestampDelta: 500 - (2_000 + day) }])
})

test('a marker stays while there is any batch of its transaction: kept, without records, or in the part that is not compacted yet', () => {
  const log = logOf('7', '7', 'commit 7')
  expect(left(compacted(log, { superseded: [1] }).bytes)).toEqual([0, '2 commit'])
  const emptied = compacted(log, { superseded: [0, 1], producers: { 7: { lastOffset: 1, producerEpoch: 2 } } }).bytes
  expect(left(emptied)).toEqual(['1 empty', '2 commit'])
  expect(left(compacted(emptied, { producers: { 7: { lastOffset: 1, producerEpoch: 2 } } }).bytes)).toEqual(['1 empty', '2 commit'])
  expect(left(compacted(logOf('commit 7'), { endOffset: 0 }).bytes)).toEqual(['0 commit'])
})

test('each marker ends the transaction of its producer before it, and not the next one', () => {
  const log = logOf('7', 'abort 7', '7', 'commit 7', '8', 'abort 9', 'commit 8')
  const { bytes } = compacted(log, { aborted: [0] })
  expect(left(bytes)).toEqual(['1 abort', 2, '3 commit', 4, `5 abort until ${day}`, '6 commit'])
  expect(left(compacted(bytes, { nowMs: 1 }).bytes)).toEqual([
    `1 abort until ${1 + day}`,
    2,
    '3 commit',
    4,
    `5 abort until ${day}`,
    '6 commit',
  ])
})

test('the last marker of a live producer stays without its record, as long as the producer lives', () => {
  const horizon = compacted(logOf('abort 7', 'abort 7')).bytes
  const alive = { nowMs: day, producers: { 7: { producerEpoch: 3 } } }
  const { bytes, removedAborts } = compacted(horizon, alive)
  expect(left(bytes)).toEqual(['0 empty', '1 empty'])
  expect(removedAborts).toEqual([0, 1])
  expect(readBatchHeader(bytes, 0)).toMatchObject({ producerId: 7, producerEpoch: 3, recordCount: 0, attributes: 0x30 })
  expect(compacted(bytes, alive)).toEqual({ bytes, differs: false, removedAborts: [] })
  expect(left(compacted(bytes, { ...alive, producers: { 7: { producerEpoch: 4 } } }).bytes)).toEqual([])
  expect(left(compacted(bytes).bytes)).toEqual([])
})

// Offsets, segments and timestamps of one log inside one commit, and random producers against a model that keeps their whole history.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AppendBatch, type KnownProducer, LogAppend, type LogEnd } from './append.ts'
import type { ProducerWindow } from './producer-window.ts'

const segmentBytes = 1_000
const noProducer = (): KnownProducer => ({ window: undefined, mustBeginAtZero: false })

const anEnd = (nextOffset: number, maxTimestamp: number): LogEnd => ({ nextOffset, maxTimestamp, firstUnstableOffset: null })

function aBatch(more: Partial<AppendBatch> = {}): AppendBatch {
  return { offsets: 1, maxTimestamp: 1, byteStart: 0, sizeBytes: 100, producerId: -1, producerEpoch: -1, baseSequence: -1, ...more }
}

test('batches with adjacent bytes share a segment, others do not', () => {
  const log = new LogAppend(anEnd(10, 5), noProducer, segmentBytes)
  for (const byteStart of [0, 100, 300]) log.append(aBatch({ byteStart, offsets: 2 }))
  expect(log.runs.map(({ baseOffset, lastOffset, byteStart, sizeBytes }) => [baseOffset, lastOffset, byteStart, sizeBytes])).toEqual([
    [10, 13, 0, 200],
    [14, 15, 300, 100],
  ])
  expect(log.end).toEqual(anEnd(16, 5))
})

test('a batch that adds its partition to a transaction begins at sequence 0 if its producer is unknown', () => {
  const log = new LogAppend(anEnd(0, -1), noProducer, segmentBytes)
  const later = { producerId: 1, producerEpoch: 0, baseSequence: 5 }
  const rejected = { kind: 'rejected', reason: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }
  expect(log.append(aBatch({ ...later, transaction: { transactionNumber: null } }))).toEqual(rejected)
  expect(log.append(aBatch({ ...later, transaction: { transactionNumber: 1 } }))).toEqual({ kind: 'appended', baseOffset: 0 })
  expect(log.windows.get(1)).toMatchObject({ transactionFirstOffset: 0 })
  expect(log.end.firstUnstableOffset).toBe(0)
})

test('a batch larger than the segment limit has its own segment', () => {
  const log = new LogAppend(anEnd(0, -1), noProducer, segmentBytes)
  const large = segmentBytes + 1
  log.append(aBatch())
  log.append(aBatch({ byteStart: 100, sizeBytes: large }))
  log.append(aBatch({ byteStart: 100 + large }))
  expect(log.runs.map(({ sizeBytes }) => sizeBytes)).toEqual([100, large, 100])
})

test('segments cover exactly the appended batches, are small, and their running maximum never decreases', () => {
  const batches = fc.array(
    fc.record({
      offsets: fc.integer({ min: 1, max: 9 }),
      maxTimestamp: fc.nat(50),
      sizeBytes: fc.integer({ min: 1, max: segmentBytes }),
      gap: fc.nat(1),
    }),
  )
  fc.assert(
    fc.property(batches, fc.nat(100), fc.integer({ min: -1, max: 50 }), (asked, nextOffset, maxTimestamp) => {
      const log = new LogAppend(anEnd(nextOffset, maxTimestamp), noProducer, segmentBytes)
      let byteStart = 0
      let [offset, highest] = [nextOffset, maxTimestamp]
      for (const { gap, ...batch } of asked) {
        byteStart += gap
        expect(log.append(aBatch({ ...batch, byteStart }))).toEqual({ kind: 'appended', baseOffset: offset })
        byteStart += batch.sizeBytes
        offset += batch.offsets
        highest = Math.max(highest, batch.maxTimestamp)
      }
      expect(log.end).toMatchObject({ nextOffset: offset, maxTimestamp: highest })
      let next = nextOffset
      let running = maxTimestamp
      for (const run of log.runs) {
        expect(run.baseOffset).toBe(next)
        expect(run.sizeBytes).toBeLessThanOrEqual(segmentBytes)
        running = Math.max(running, run.maxTimestamp)
        expect(run.runningMaxTimestamp).toBe(running)
        next = run.lastOffset + 1
      }
      expect(next).toBe(offset)
      const bytes = log.runs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      expect(bytes).toBe(asked.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
    }),
  )
})

/** Kafka's rule over a whole history: all batches that each producer ever appended, newest last. */
class Model {
  readonly #appended = new Map<number, AppendBatch[]>()
  readonly #offsets = new Map<AppendBatch, number>()
  #next = 0

  verdict(batch: AppendBatch): unknown {
    const mine = this.#appended.get(batch.producerId) ?? []
    const epoch = Math.max(-1, ...mine.map(({ producerEpoch }) => producerEpoch))
    if (batch.producerEpoch < epoch) return { kind: 'rejected', reason: 'INVALID_PRODUCER_EPOCH' }
    const ofEpoch = mine.filter(({ producerEpoch }) => producerEpoch === batch.producerEpoch)
    const same = ofEpoch.slice(-5).find(({ baseSequence, offsets }) => baseSequence === batch.baseSequence && offsets === batch.offsets)
    if (same !== undefined) return { kind: 'duplicate', baseOffset: this.#offsets.get(same), timestamp: same.maxTimestamp }
    const newest = ofEpoch.at(-1)
    const expected = newest === undefined ? (mine.length === 0 ? batch.baseSequence : 0) : newest.baseSequence + newest.offsets
    if (batch.baseSequence !== expected) return { kind: 'rejected', reason: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }
    this.#appended.set(batch.producerId, [...mine, batch])
    const baseOffset = this.#next
    this.#offsets.set(batch, baseOffset)
    this.#next += batch.offsets
    return { kind: 'appended', baseOffset }
  }
}

test('random producers get the verdicts of a model with their whole history, however the batches are split into commits', () => {
  const batch = fc.record({
    producerId: fc.nat(1),
    producerEpoch: fc.nat(2),
    baseSequence: fc.nat(8),
    offsets: fc.integer({ min: 1, max: 2 }),
    maxTimestamp: fc.nat(9),
  })
  fc.assert(
    fc.property(fc.array(fc.array(batch, { maxLength: 12 }), { maxLength: 12 }), (commits) => {
      const model = new Model()
      const windows = new Map<number, ProducerWindow>()
      let end = anEnd(0, -1)
      for (const batches of commits) {
        const log = new LogAppend(end, (producerId) => ({ window: windows.get(producerId), mustBeginAtZero: false }), segmentBytes)
        for (const asked of batches.map((one) => aBatch(one))) expect(log.append(asked)).toEqual(model.verdict(asked))
        end = log.end
        for (const [producerId, window] of log.windows) windows.set(producerId, structuredClone(window))
      }
    }),
    { numRuns: 500 },
  )
})

// The rules of idempotent producers, case by case, and against a model that keeps the whole history.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  admit,
  batchesRemembered,
  cutWindow,
  type ProducerWindow,
  remember,
  rememberMarker,
  type SequencedBatch,
  sequenceAfter,
} from './producer-window.ts'

const anywhere = { mustBeginAtZero: false }
const atZero = { mustBeginAtZero: true }
const outOfOrder = { kind: 'rejected', reason: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }
const top = 2 ** 31 - 1

function aBatch(baseSequence: number, more: Partial<SequencedBatch> = {}): SequencedBatch {
  return { producerEpoch: 0, baseSequence, offsets: 1, maxTimestamp: 1, ...more }
}

/** The window after the batches were appended from offset 0 on. */
function after(...batches: readonly SequencedBatch[]): ProducerWindow {
  let offset = 0
  let window: ProducerWindow | undefined
  for (const batch of batches) {
    window = remember(window, batch, offset)
    offset += batch.offsets
  }
  if (window === undefined) throw new Error('no batches')
  return window
}

describe('without a window', () => {
  test('an old or unknown producer id may begin with any sequence, a recent one with 0', () => {
    expect(admit(undefined, aBatch(9), anywhere)).toEqual({ kind: 'next' })
    expect(admit(undefined, aBatch(9), atZero)).toEqual(outOfOrder)
    expect(admit(undefined, aBatch(0), atZero)).toEqual({ kind: 'next' })
  })
})

describe('in a transaction', () => {
  const transaction = { transaction: {} }
  const outside = { kind: 'rejected', reason: 'INVALID_TXN_STATE' }

  test('the first offset is that of the first batch, until a marker ends the transaction', () => {
    const open = after(aBatch(0, { offsets: 3 }), aBatch(3, transaction), aBatch(4, transaction))
    expect(open.transactionFirstOffset).toBe(3)
    expect(rememberMarker(open, 0)).toEqual({ epoch: 0, batches: open.batches })
    expect(rememberMarker(open, 1)).toEqual({ epoch: 1, batches: [] })
    expect(rememberMarker(undefined, 1)).toEqual({ epoch: 1, batches: [] })
  })

  test('a batch outside the open transaction is rejected after every other check', () => {
    const open = after(aBatch(0, transaction))
    for (const batch of [aBatch(1), aBatch(0, { producerEpoch: 1 })]) expect(admit(open, batch, anywhere)).toEqual(outside)
    expect(admit(open, aBatch(1, transaction), anywhere)).toEqual({ kind: 'next' })
    expect(admit(open, aBatch(2), anywhere)).toEqual(outOfOrder)
    expect(admit(open, aBatch(0), anywhere)).toMatchObject({ kind: 'duplicate' })
    expect(admit(rememberMarker(open, 0), aBatch(1), anywhere)).toEqual({ kind: 'next' })
  })

  test('after a marker with a new epoch the sequences begin at 0, and the old epoch is over', () => {
    const ended = rememberMarker(after(aBatch(0, transaction)), 1)
    expect(admit(ended, aBatch(1, { producerEpoch: 1 }), anywhere)).toEqual(outOfOrder)
    expect(admit(ended, aBatch(0, { producerEpoch: 1 }), anywhere)).toEqual({ kind: 'next' })
    expect(admit(ended, aBatch(1, transaction), anywhere)).toEqual({ kind: 'rejected', reason: 'INVALID_PRODUCER_EPOCH' })
  })

  test('a cut of the log keeps a transaction open if it began before the cut', () => {
    const open = after(aBatch(0), aBatch(1, transaction), aBatch(2, transaction))
    expect(cutWindow(open, 3)).toBe(open)
    expect(cutWindow(open, 2)).toEqual({ epoch: 0, batches: open.batches.slice(0, 2), transactionFirstOffset: 1 })
    expect(cutWindow(open, 1)).toEqual({ epoch: 0, batches: open.batches.slice(0, 1) })
    expect(cutWindow(open, 0)).toBeUndefined()
    const long = Array.from({ length: 7 }, (_, sequence) => aBatch(sequence, transaction))
    expect(cutWindow(after(...long), 1)).toEqual({ epoch: 0, batches: [], transactionFirstOffset: 0 })
    const ended = rememberMarker(open, 1)
    expect(cutWindow(ended, 0)).toBe(ended)
  })
})

describe('with a window', () => {
  test('the next sequence follows the last of the newest batch', () => {
    const window = after(aBatch(0, { offsets: 3 }), aBatch(3))
    expect(admit(window, aBatch(4), atZero)).toEqual({ kind: 'next' })
    for (const sequence of [5, top]) expect(admit(window, aBatch(sequence), anywhere)).toEqual(outOfOrder)
  })

  test('only a batch with the same first and last sequence is a duplicate', () => {
    const window = after(aBatch(0, { offsets: 3, maxTimestamp: 77 }), aBatch(3))
    expect(admit(window, aBatch(0, { offsets: 3 }), atZero)).toEqual({ kind: 'duplicate', baseOffset: 0, timestamp: 77 })
    expect(admit(window, aBatch(0, { offsets: 2 }), atZero)).toEqual(outOfOrder)
  })

  test('an older epoch is rejected before any other check, a newer one begins at 0 with its own window', () => {
    const window = after(aBatch(0, { producerEpoch: 2 }))
    expect(admit(window, aBatch(0, { producerEpoch: 1 }), anywhere)).toEqual({ kind: 'rejected', reason: 'INVALID_PRODUCER_EPOCH' })
    expect(admit(window, aBatch(1, { producerEpoch: 3 }), anywhere)).toEqual(outOfOrder)
    const bumped = aBatch(0, { producerEpoch: 3 })
    expect(admit(window, bumped, atZero)).toEqual({ kind: 'next' })
    expect(remember(window, bumped, 50)).toEqual({
      epoch: 3,
      batches: [{ baseSequence: 0, lastSequence: 0, baseOffset: 50, timestamp: 1 }],
    })
  })

  test('sequence 2^31 - 1 is followed by 0, also inside a batch', () => {
    expect(admit(after(aBatch(top)), aBatch(0), atZero)).toEqual({ kind: 'next' })
    const across = aBatch(top - 1, { offsets: 4 })
    expect(after(across).batches).toMatchObject([{ baseSequence: top - 1, lastSequence: 1 }])
    expect(admit(after(across), aBatch(2), atZero)).toEqual({ kind: 'next' })
    expect(admit(after(across), across, atZero)).toMatchObject({ kind: 'duplicate' })
  })
})

test('batches that a producer sends in order, with any retries of its last five, are appended once and in order', () => {
  const sizes = fc.array(
    fc.record({ offsets: fc.integer({ min: 1, max: 5 }), retries: fc.array(fc.nat(batchesRemembered - 1), { maxLength: 4 }) }),
    { minLength: 1 },
  )
  const beginnings = fc.oneof(fc.constant(0), fc.integer({ min: top - 20, max: top }))
  fc.assert(
    fc.property(sizes, beginnings, (rounds, first) => {
      const sent: (SequencedBatch & { readonly baseOffset: number })[] = []
      let window: ProducerWindow | undefined
      let [sequence, offset] = [first, 0]
      for (const { offsets, retries } of rounds) {
        const batch = { ...aBatch(sequence, { offsets }), baseOffset: offset }
        expect(admit(window, batch, anywhere)).toEqual({ kind: 'next' })
        window = remember(window, batch, offset)
        sent.push(batch)
        sequence = sequenceAfter(sequence, offsets)
        offset += offsets
        for (const back of retries) {
          const again = sent.at(-1 - back)
          if (again !== undefined) expect(admit(window, again, anywhere)).toMatchObject({ kind: 'duplicate', baseOffset: again.baseOffset })
        }
        const forgotten = sent.at(-1 - batchesRemembered)
        if (forgotten !== undefined) expect(admit(window, forgotten, anywhere)).toEqual(outOfOrder)
        // A lost batch in between is detected.
        expect(admit(window, aBatch(sequenceAfter(sequence, 1)), anywhere)).toEqual(outOfOrder)
      }
      expect(window?.batches.length).toBe(Math.min(sent.length, batchesRemembered))
    }),
  )
})

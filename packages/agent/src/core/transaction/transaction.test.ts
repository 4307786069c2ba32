// The rules of docs/specs/transactions.md that the table of states and events does not show: numbers, lost answers, and the end of a producer id's epochs.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decideTransaction, type TransactionDecision, type TransactionRequest } from './transaction.ts'
import { lastEpochOfProducerId, type ProducerEpoch, type TransactionRow } from './transaction-row.ts'

function changedBy(row: TransactionRow | undefined, request: TransactionRequest, newProducerId?: number) {
  const decision = decideTransaction(row, request, newProducerId)
  if (decision.kind !== 'changed') throw new Error(`the row did not change: ${JSON.stringify(decision)}`)
  return decision
}

const init = (expected?: ProducerEpoch): TransactionRequest => ({ kind: 'init', timeoutMs: 1_000, expected })
const add = (producer: ProducerEpoch): TransactionRequest => ({ kind: 'add', producer })
const end = (producer: ProducerEpoch, outcome: 'commit' | 'abort' = 'commit', transactionVersion: 1 | 2 = 2): TransactionRequest => ({
  kind: 'end',
  producer,
  outcome,
  transactionVersion,
})
const of = ({ producerId, producerEpoch }: ProducerEpoch): ProducerEpoch => ({ producerId, producerEpoch })

const aNewRow = changedBy(undefined, init(), 7).row
const anExhausted = (state: TransactionRow['state']): TransactionRow => ({
  ...aNewRow,
  state,
  producerEpoch: lastEpochOfProducerId,
  lastProducerEpoch: lastEpochOfProducerId - 1,
  transactionNumber: 1,
})

test('I1: a new transactional id gets a producer id that was never used, with epoch 0', () => {
  expect(decideTransaction(undefined, init(), undefined)).toEqual({ kind: 'needs producer id' })
  expect(aNewRow).toEqual({
    producerId: 7,
    producerEpoch: 0,
    state: 'Empty',
    lastProducerId: -1,
    lastProducerEpoch: -1,
    timeoutMs: 1_000,
    transactionNumber: 0,
  })
})

test('I2: a producer without an id leaves no epoch from which an earlier one may go on', () => {
  const second = changedBy(aNewRow, init()).row
  expect(second).toMatchObject({ producerEpoch: 1, lastProducerEpoch: -1 })
  for (const request of [init(of(aNewRow)), end(of(aNewRow)), end(of(aNewRow), 'abort')])
    expect(decideTransaction(second, request, undefined)).toEqual({ kind: 'rejected', error: 'PRODUCER_FENCED' })
})

test('I2: a producer that was fenced does not learn that the commit of its successor is its own', () => {
  const open = changedBy(aNewRow, add(of(aNewRow))).row
  const second = changedBy(open, init()).row
  const committed = changedBy(changedBy(second, add(of(second))).row, end(of(second), 'commit', 1)).row
  expect(committed).toMatchObject({ state: 'CompleteCommit', producerEpoch: 1 })
  expect(decideTransaction(committed, end(of(open)), undefined)).toEqual({ kind: 'rejected', error: 'PRODUCER_FENCED' })
})

test('E1: a request that was delayed over the end of its transaction does not end the next one, which has the same epoch', () => {
  const first = changedBy(aNewRow, add(of(aNewRow))).row
  const late: TransactionRequest = { kind: 'end', producer: of(first), outcome: 'commit', transactionVersion: 1, transactionNumber: 1 }
  const committed = changedBy(first, late).row
  expect(decideTransaction(committed, late, undefined)).toEqual({ kind: 'unchanged' })
  const second = changedBy(committed, add(of(committed))).row
  expect(decideTransaction(second, late, undefined)).toEqual({ kind: 'unchanged' })
  expect(changedBy(second, { ...late, transactionNumber: 2 }).row).toMatchObject({ state: 'CompleteCommit', producerEpoch: 0 })
})

test('I3: a producer that goes on with its id gets the same epoch again if it repeats the request', () => {
  const second = changedBy(aNewRow, init(of(aNewRow))).row
  expect(second).toMatchObject({ producerEpoch: 1, lastProducerEpoch: 0 })
  expect(changedBy(second, init(of(aNewRow))).row).toEqual(second)
})

test('B1: each transaction has the next number', () => {
  const first = changedBy(aNewRow, add(of(aNewRow)))
  expect(first).toMatchObject({ begins: true, row: { transactionNumber: 1 } })
  const second = changedBy(changedBy(first.row, end(of(first.row))).row, add({ producerId: 7, producerEpoch: 1 }))
  expect(second).toMatchObject({ begins: true, row: { transactionNumber: 2 } })
})

describe('X1: after its last epoch a producer id is replaced', () => {
  const needsId: TransactionDecision = { kind: 'needs producer id' }
  const cases: Record<string, { readonly row: TransactionRow; readonly request: TransactionRequest; readonly marker: boolean }> = {
    'by InitProducerId': { row: anExhausted('CompleteCommit'), request: init(), marker: false },
    'by InitProducerId over an open transaction': { row: anExhausted('Ongoing'), request: init(), marker: true },
    'by EndTxn': { row: anExhausted('Ongoing'), request: end(of(anExhausted('Ongoing'))), marker: true },
    'by an abort of nothing': { row: anExhausted('CompleteCommit'), request: end(of(anExhausted('Empty')), 'abort'), marker: false },
    'by a time-out': { row: anExhausted('Ongoing'), request: { kind: 'fence' }, marker: true },
  }
  for (const [name, { row, request, marker }] of Object.entries(cases))
    test(name, () => {
      expect(decideTransaction(row, request, undefined)).toEqual(needsId)
      const { row: next, ends } = changedBy(row, request, 8)
      expect(of(next)).toEqual({ producerId: 8, producerEpoch: 0 })
      expect(ends && of(ends)).toEqual(marker ? { producerId: 7, producerEpoch: lastEpochOfProducerId + 1 } : undefined)
    })

  test('a repeated EndTxn is recognized, and so is a repeated InitProducerId', () => {
    const before = of(anExhausted('Ongoing'))
    const { row } = changedBy(anExhausted('Ongoing'), end(before), 8)
    expect(decideTransaction(row, end(before), undefined)).toEqual({ kind: 'unchanged' })
    expect(changedBy(row, init(before)).row).toEqual({ ...row, state: 'Empty' })
    const next = changedBy(changedBy(row, add(of(row))).row, end(of(row))).row
    expect(decideTransaction(next, end(before), undefined)).toEqual({ kind: 'rejected', error: 'INVALID_PRODUCER_ID_MAPPING' })
  })

  test('EndTxn before 5 keeps the last epoch', () => {
    expect(changedBy(anExhausted('Ongoing'), end(of(anExhausted('Ongoing')), 'commit', 1)).row).toMatchObject({
      producerId: 7,
      producerEpoch: lastEpochOfProducerId,
    })
  })
})

/** Producers that take turns in any order, each with the id and epoch of the last answer that it received. */
const steps = fc.array(
  fc.record({
    actor: fc.nat({ max: 2 }),
    act: fc.constantFrom('init', 'go on', 'add', 'commit', 'abort', 'commit 4', 'abort 4', 'fence'),
    isAnswerLost: fc.boolean(),
  }),
  { minLength: 1, maxLength: 60 },
)

test('G1–G3: any requests of several producers, with lost answers', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(0, lastEpochOfProducerId - 3), (acts, firstEpoch) => {
      let row: TransactionRow = { ...aNewRow, producerEpoch: firstEpoch }
      let ids = 100
      const known = new Map<number, ProducerEpoch>()
      const markers = new Map<number, number>()
      for (const { actor, act, isAnswerLost } of acts) {
        const producer = known.get(actor) ?? { producerId: 1, producerEpoch: 0 }
        const outcome = act.startsWith('commit') ? 'commit' : 'abort'
        const request: TransactionRequest =
          act === 'fence'
            ? { kind: 'fence' }
            : act === 'add'
              ? add(producer)
              : act === 'init'
                ? init()
                : act === 'go on'
                  ? init(producer)
                  : end(producer, outcome, act.endsWith('4') ? 1 : 2)
        const decision = decideTransaction(row, request, ids++)
        // G1: the producer's epochs only rise, and no row has the epoch that only a marker may have.
        if (decision.kind === 'changed') {
          const { row: next, ends } = decision
          expect(next.producerEpoch).toBeLessThanOrEqual(lastEpochOfProducerId)
          if (next.producerId === row.producerId) expect(next.producerEpoch).toBeGreaterThanOrEqual(row.producerEpoch)
          // G2: an open transaction ends exactly once, with the epoch of its producer or the next one.
          expect(ends !== undefined).toBe(row.state === 'Ongoing' && next.state !== 'Ongoing')
          if (ends !== undefined) {
            expect(ends.producerId).toBe(row.producerId)
            expect([row.producerEpoch, row.producerEpoch + 1]).toContain(ends.producerEpoch)
            markers.set(row.transactionNumber, (markers.get(row.transactionNumber) ?? 0) + 1)
            expect(markers.get(row.transactionNumber)).toBe(1)
          }
          row = next
        }
        const isTold = decision.kind === 'changed' || decision.kind === 'unchanged'
        if (isTold && act !== 'fence' && !isAnswerLost) known.set(actor, of(row))
        // G3: after InitProducerId without an id, only its producer can begin a transaction.
        if (act === 'init' && decision.kind === 'changed')
          for (const [one, { producerId, producerEpoch }] of known)
            if (one !== actor || isAnswerLost) expect({ producerId, producerEpoch }).not.toEqual(of(row))
      }
    }),
    { numRuns: 300 },
  )
})

// Every state of a transactional id × every event: the answer, the next state and epoch, and the marker. The compiler keeps the table complete.
import { describe, expect, test } from 'vitest'
import { decideTransaction, type TransactionRequest } from './transaction.ts'
import type { ProducerEpoch, TransactionResult, TransactionRow, TransactionState } from './transaction-row.ts'

/** The producer has id 7 and epoch 5, and had epoch 4 before. Its third transaction is open, or was the last. */
const row = (state: TransactionState): TransactionRow => ({
  producerId: 7,
  producerEpoch: 5,
  state,
  lastProducerId: 6,
  lastProducerEpoch: 4,
  timeoutMs: 60_000,
  transactionNumber: 3,
})

type State = TransactionState | 'Dead'
const states: Record<State, TransactionRow | undefined> = {
  Dead: undefined,
  Empty: row('Empty'),
  Ongoing: row('Ongoing'),
  CompleteCommit: row('CompleteCommit'),
  CompleteAbort: row('CompleteAbort'),
}

const present: ProducerEpoch = { producerId: 7, producerEpoch: 5 }
const last: ProducerEpoch = { producerId: 7, producerEpoch: 4 }
const older: ProducerEpoch = { producerId: 7, producerEpoch: 3 }
const newer: ProducerEpoch = { producerId: 7, producerEpoch: 6 }
const other: ProducerEpoch = { producerId: 8, producerEpoch: 5 }

const init = (expected?: ProducerEpoch): TransactionRequest => ({ kind: 'init', timeoutMs: 60_000, expected })
const add = (producer: ProducerEpoch): TransactionRequest => ({ kind: 'add', producer })
const verify = (producer: ProducerEpoch, isAdded: boolean, transactionNumber = 3): TransactionRequest => ({
  kind: 'verify',
  producer,
  isAdded,
  transactionNumber,
})
const end = (transactionVersion: 1 | 2, producer: ProducerEpoch, outcome: TransactionResult): TransactionRequest => ({
  kind: 'end',
  producer,
  outcome,
  transactionVersion,
})

const events = {
  InitProducerId: init(),
  'InitProducerId with the present epoch': init(present),
  'InitProducerId with the last epoch': init(last),
  'InitProducerId with an older epoch': init(older),
  'InitProducerId with another producer id': init(other),
  add: add(present),
  'add with the last epoch': add(last),
  'add with a newer epoch': add(newer),
  'add with another producer id': add(other),
  verify: verify(present, true),
  'verify what was not added': verify(present, false),
  'verify what arrived in an earlier transaction': verify(present, true, 2),
  'verify with the last epoch': verify(last, true),
  'verify with another producer id': verify(other, true),
  'EndTxn 4, commit': end(1, present, 'commit'),
  'EndTxn 4, abort': end(1, present, 'abort'),
  'EndTxn 4 with the last epoch': end(1, last, 'commit'),
  'EndTxn 4 with another producer id': end(1, other, 'commit'),
  'EndTxn 5, commit': end(2, present, 'commit'),
  'EndTxn 5, abort': end(2, present, 'abort'),
  'EndTxn 5, commit, with the last epoch': end(2, last, 'commit'),
  'EndTxn 5, abort, with the last epoch': end(2, last, 'abort'),
  'EndTxn 5 with an older epoch': end(2, older, 'abort'),
  'EndTxn 5 with a newer epoch': end(2, newer, 'commit'),
  'EndTxn 5 with another producer id': end(2, other, 'commit'),
  fence: { kind: 'fence' },
  expire: { kind: 'expire' },
} as const satisfies Record<string, TransactionRequest>
type Event = keyof typeof events

/** An error; `same`; or the next state with its producer's id and epoch, then the marker with its epoch. */
type Cell = string
const mapping = 'INVALID_PRODUCER_ID_MAPPING'
const fenced = 'PRODUCER_FENCED'
const invalid = 'INVALID_TXN_STATE'
const abortable = 'TRANSACTION_ABORTABLE'
const same = 'same'

const table: Record<Event, Record<State, Cell>> = {
  InitProducerId: {
    Dead: 'Empty 99/0',
    Empty: 'Empty 7/6',
    Ongoing: 'Empty 7/6, abort 7/6',
    CompleteCommit: 'Empty 7/6',
    CompleteAbort: 'Empty 7/6',
  },
  'InitProducerId with the present epoch': {
    Dead: 'Empty 99/0',
    Empty: 'Empty 7/6',
    Ongoing: 'Empty 7/6, abort 7/6',
    CompleteCommit: 'Empty 7/6',
    CompleteAbort: 'Empty 7/6',
  },
  'InitProducerId with the last epoch': {
    Dead: 'Empty 99/0',
    Empty: 'Empty 7/5',
    Ongoing: fenced,
    CompleteCommit: 'Empty 7/5',
    CompleteAbort: 'Empty 7/5',
  },
  'InitProducerId with an older epoch': all('Empty 99/0', fenced),
  'InitProducerId with another producer id': all('Empty 99/0', fenced),
  add: { Dead: mapping, Empty: 'Ongoing 7/5', Ongoing: same, CompleteCommit: 'Ongoing 7/5', CompleteAbort: 'Ongoing 7/5' },
  'add with the last epoch': all(mapping, fenced),
  'add with a newer epoch': all(mapping, fenced),
  'add with another producer id': all(mapping, mapping),
  verify: { Dead: mapping, Empty: abortable, Ongoing: same, CompleteCommit: abortable, CompleteAbort: abortable },
  'verify what was not added': all(mapping, abortable),
  'verify what arrived in an earlier transaction': all(mapping, abortable),
  'verify with the last epoch': all(mapping, fenced),
  'verify with another producer id': all(mapping, mapping),
  'EndTxn 4, commit': {
    Dead: mapping,
    Empty: invalid,
    Ongoing: 'CompleteCommit 7/5, commit 7/5',
    CompleteCommit: same,
    CompleteAbort: invalid,
  },
  'EndTxn 4, abort': {
    Dead: mapping,
    Empty: invalid,
    Ongoing: 'CompleteAbort 7/5, abort 7/5',
    CompleteCommit: invalid,
    CompleteAbort: same,
  },
  'EndTxn 4 with the last epoch': all(mapping, fenced),
  'EndTxn 4 with another producer id': all(mapping, mapping),
  'EndTxn 5, commit': {
    Dead: mapping,
    Empty: invalid,
    Ongoing: 'CompleteCommit 7/6, commit 7/6',
    CompleteCommit: invalid,
    CompleteAbort: invalid,
  },
  'EndTxn 5, abort': {
    Dead: mapping,
    Empty: 'CompleteAbort 7/6',
    Ongoing: 'CompleteAbort 7/6, abort 7/6',
    CompleteCommit: 'CompleteAbort 7/6',
    CompleteAbort: 'CompleteAbort 7/6',
  },
  'EndTxn 5, commit, with the last epoch': {
    Dead: mapping,
    Empty: fenced,
    Ongoing: fenced,
    CompleteCommit: same,
    CompleteAbort: invalid,
  },
  'EndTxn 5, abort, with the last epoch': {
    Dead: mapping,
    Empty: fenced,
    Ongoing: fenced,
    CompleteCommit: invalid,
    CompleteAbort: same,
  },
  'EndTxn 5 with an older epoch': all(mapping, fenced),
  'EndTxn 5 with a newer epoch': all(mapping, fenced),
  'EndTxn 5 with another producer id': all(mapping, mapping),
  fence: { ...all(same, same), Ongoing: 'CompleteAbort 7/6, abort 7/6' },
  expire: { ...all(same, 'removed'), Ongoing: same },
}

function all(dead: Cell, known: Cell): Record<State, Cell> {
  return { Dead: dead, Empty: known, Ongoing: known, CompleteCommit: known, CompleteAbort: known }
}

function answer(state: State, event: Event): Cell {
  const decision = decideTransaction(states[state], events[event], 99)
  switch (decision.kind) {
    case 'rejected':
      return decision.error
    case 'unchanged':
      return same
    case 'changed': {
      const { row: next, ends } = decision
      const marker = ends && `, ${ends.outcome} ${ends.producerId}/${ends.producerEpoch}`
      return `${next.state} ${next.producerId}/${next.producerEpoch}${marker ?? ''}`
    }
    case 'removed':
    case 'needs producer id':
      return decision.kind
  }
}

describe('every state × every event', () => {
  for (const event of Object.keys(table) as Event[])
    test(event, () => {
      const answers = Object.fromEntries((Object.keys(states) as State[]).map((state) => [state, answer(state, event)]))
      expect(answers).toEqual(table[event])
    })
})

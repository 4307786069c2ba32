// EndTxn of the older protocol, where two transactions have the same epoch: which one a late request is about.
import { errors } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import type { TransactionRow } from '../core/transaction/transaction-row.ts'
import type { TransactionalRequest } from '../metadata/transaction-store.ts'
import { TransactionCoordinator } from './transactions.ts'

const row: TransactionRow = {
  producerId: 7,
  producerEpoch: 0,
  state: 'Ongoing',
  lastProducerId: -1,
  lastProducerEpoch: -1,
  timeoutMs: 1_000,
  transactionNumber: 3,
}
const ending = { producer: { producerId: 7, producerEpoch: 0 }, outcome: 'commit' } as const

/** A coordinator over a store that remembers what it was asked to decide. */
function aCoordinator(): { readonly coordinator: TransactionCoordinator; readonly decided: TransactionalRequest[] } {
  const decided: TransactionalRequest[] = []
  const coordinator = new TransactionCoordinator({
    store: {
      find: async () => ({ row, beganAtMs: 0, partitions: [], groupIds: [] }),
      decide: async (request) => {
        decided.push(request)
        return { kind: 'decided', row, grown: [], committed: [] }
      },
    },
    owners: { ofName: () => ({ mine: true, epoch: 1, leader: 1 }) },
    tails: { publish: () => {}, forget: () => {} },
    emit: () => {},
    incarnation: { id: 1, nonce: 'aaaaaaaaaaaaaaaa' },
    newProducerId: async () => 8,
  })
  return { coordinator, decided }
}

test('it is about the transaction that was open when it arrived', async () => {
  const { coordinator, decided } = aCoordinator()
  await coordinator.end('copier', { ...ending, transactionVersion: 1 }, new AbortController().signal)
  await coordinator.end('copier', { ...ending, transactionVersion: 2 }, new AbortController().signal)
  expect(decided.map(({ request }) => request)).toMatchObject([{ kind: 'end', transactionNumber: 3 }, { kind: 'end' }])
  expect(decided[1]?.request).not.toHaveProperty('transactionNumber')
})

test('it ends nothing if its connection was closed while the transaction was looked up', async () => {
  const { coordinator, decided } = aCoordinator()
  const ended = coordinator.end('copier', { ...ending, transactionVersion: 1 }, AbortSignal.abort())
  await expect(ended).rejects.toMatchObject({ code: errors.COORDINATOR_NOT_AVAILABLE.code })
  expect(decided).toEqual([])
})

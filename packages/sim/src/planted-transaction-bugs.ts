// Planted bugs of transactions: how they end, what a fenced producer can still do, and what readers of committed records see.
import type { PlantedBug } from './planted-bug.ts'

const ids = 'agent/src/metadata/transactional-ids.ts'
const rules = 'agent/src/core/transaction/transaction.ts'
const coordinator = 'agent/src/coordinate/transactions.ts'
const scenario = 'transactions'
const late = 'late requests of the older protocol'

export const transactionBugs: readonly PlantedBug[] = [
  {
    name: 'EndTxn in two transactions',
    scenario,
    edits: [
      { file: ids, find: '  const asked = inLockOrder(partitions)\n', replace: '  const asked = inLockOrder(partitions).slice(0, 1)\n' },
      {
        file: ids,
        find: '  return {\n    writes: [\n      insertMarkers(',
        replace: '  return {\n    more: partitions.length > 1,\n    writes: [\n      insertMarkers(',
      },
      {
        file: ids,
        find: '      deletePartitionsOf(key),\n',
        replace: '      partitions.length > 1 ? deleteSome(asked.map((one) => ({ ...key, ...one }))) : deletePartitionsOf(key),\n',
      },
      {
        file: ids,
        find: 'const deletePartitionsOf = ',
        replace: `const deleteSome = statementPerRow('delete some', { transactionalId: 'text', topicId: 'text', partition: 'int' },
  'DELETE FROM transaction_partitions WHERE cluster = $cluster AND transactional_id = $transactionalId AND topic_id = $topicId AND partition = $partition')
const deletePartitionsOf = `,
      },
      {
        file: ids,
        find: '          writeTransactionalIds([{ ...key, ...decision.row, begins: decision.begins ? 1 : 0 }]),\n',
        replace: `          ...(ended?.more ? [] : [writeTransactionalIds([{ ...key, ...decision.row, begins: decision.begins ? 1 : 0 }])]),\n`,
      },
      {
        file: ids,
        find: '          row: decision.row,\n          ...(ended',
        replace: '          more: ended?.more,\n          row: ended?.more ? row : decision.row,\n          ...(ended',
      },
      {
        file: coordinator,
        find: '    this.#publish(answer.grown)\n',
        replace: '    this.#publish(answer.grown)\n    if (answer.more) return await this.#decide(asked)\n',
      },
    ],
  },
  {
    name: 'no new epoch on abort',
    scenario,
    edits: [
      {
        file: rules,
        find: '      : { producerId, producerEpoch: producerEpoch + 1 }\n',
        replace: "      : { producerId, producerEpoch: ends === 'abort' ? producerEpoch : producerEpoch + 1 }\n",
      },
      {
        file: rules,
        find: 'ends && { producerId, producerEpoch: producerEpoch + 1, outcome: ends }',
        replace: "ends && { producerId, producerEpoch: ends === 'abort' ? producerEpoch : producerEpoch + 1, outcome: ends }",
      },
    ],
  },
  {
    name: 'the last stable offset is one too far',
    scenario,
    edits: [
      {
        file: 'agent/src/metadata/partition-rows.ts',
        find: 'Math.max(row.firstUnstableOffset, row.logStartOffset)',
        replace: 'Math.max(row.firstUnstableOffset + 1, row.logStartOffset)',
      },
    ],
  },
  {
    name: 'the list of aborted transactions ends one too early',
    scenario,
    edits: [
      {
        file: ids,
        find: 'a.marker_offset >= $fromOffset AND a.first_offset < $untilOffset',
        replace: 'a.marker_offset >= $fromOffset AND a.first_offset < $untilOffset - 1',
      },
    ],
  },
  {
    name: 'offsets are applied on abort',
    scenario,
    edits: [{ file: ids, find: "...(outcome === 'commit' ? [applyOffsets(key)] : []),", replace: 'applyOffsets(key),' }],
  },
  {
    name: 'a late EndTxn of the older protocol ends the next transaction',
    scenario,
    edits: [
      {
        file: coordinator,
        find: "request: { kind: 'end', ...ending, transactionNumber } }))",
        replace: "request: { kind: 'end', ...ending } }))",
      },
    ],
  },
  {
    name: 'a late batch of the older protocol is appended to the next transaction',
    scenario: late,
    edits: [{ file: rules, find: 'isAdded && row.transactionNumber === transactionNumber', replace: 'isAdded' }],
  },
  {
    name: 'an old EndTxn is done although its connection was closed',
    scenario: late,
    edits: [{ file: coordinator, find: 'if (signal.aborted) throw', replace: 'if (false) throw' }],
  },
  {
    name: 'an old batch is appended although its connection was closed',
    scenario: late,
    edits: [{ file: 'agent/src/api/produce.ts', find: 'if (context.signal.aborted) throw', replace: 'if (false) throw' }],
  },
  {
    name: "a fenced producer's batch is accepted",
    scenario,
    edits: [
      {
        file: 'agent/src/metadata/flush-transactions.ts',
        find: "if (decision.kind === 'rejected') return",
        replace: "if (decision.kind === 'rejected' && decision.error !== 'PRODUCER_FENCED') return",
      },
    ],
  },
]

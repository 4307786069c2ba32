// lks transaction list: the transactional ids of a cluster with their producers, sorted by id.
import { withCluster } from '../../cluster/cluster-client.ts'
import { type DescribedTransaction, listTransactions, type NamedTransactionState, transactionStates } from '../../cluster/transactions.ts'
import type { ClientCommand } from '../client-command.ts'
import { durationOption, givenDuration } from '../duration-option.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { startOf, transactionValue } from './transaction-value.ts'

export const transactionList: ClientCommand = {
  path: ['transaction', 'list'],
  summary: 'List the transactional ids with the states of their transactions.',
  arguments: [],
  options: [
    {
      name: 'state',
      placeholder: 'state',
      repeatable: true,
      doc: 'Only ids in this state, such as Ongoing.',
      completes: transactionStates,
      check: (value) => (isState(value) ? undefined : `must be one of ${transactionStates.join(', ')}`),
    },
    durationOption({ name: 'open-for', doc: 'Only transactions that have been open for longer: those that hang.' }),
    outputOption,
  ],
  examples: ['lks transaction list', 'lks transaction list --state Ongoing', 'lks transaction list --open-for 5m -o name'],
  async run(given, context) {
    const openFor = given.option('open-for')
    const openForMs = openFor === undefined ? undefined : givenDuration(openFor)
    await withCluster(context, async (cluster) => {
      const found = await listTransactions(cluster, { states: given.options('state').filter(isState), openForMs })
      show(context.terminal, formatOf(given), {
        value: found.map(transactionValue),
        names: found.map(({ id }) => id),
        blocks: found.length === 0 ? [] : [tableBlock(columns, found)],
        nothing: 'there are no such transactional ids',
      })
    })
  },
}

function isState(value: string): value is NamedTransactionState {
  return transactionStates.some((state) => state === value)
}

const columns: readonly Column<DescribedTransaction>[] = [
  { header: 'TRANSACTIONAL ID', value: ({ id }) => id },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'PRODUCER', value: ({ producerId }) => producerId, align: 'right' },
  { header: 'EPOCH', value: ({ producerEpoch }) => producerEpoch, align: 'right' },
  { header: 'STARTED', value: startOf },
  { header: 'PARTITIONS', value: ({ topics }) => topics.reduce((sum, { partitions }) => sum + partitions.length, 0), align: 'right' },
  { header: 'COORDINATOR', value: ({ coordinator }) => coordinator.id, align: 'right' },
]

// lks transaction describe: transactional ids with their producers, and the partitions of their open transactions.
import { withCluster } from '../../cluster/cluster-client.ts'
import { asServer } from '../../cluster/server-address.ts'
import { type DescribedTransaction, describeTransaction } from '../../cluster/transactions.ts'
import type { ClientCommand } from '../client-command.ts'
import { forEachShown } from '../each.ts'
import { fieldsBlock, formatOf, outputOption, type TextBlock, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { ranges } from '../words.ts'
import { startOf, transactionValue } from './transaction-value.ts'

export const transactionDescribe: ClientCommand = {
  path: ['transaction', 'describe'],
  summary: 'Show transactional ids with the partitions of their transactions.',
  arguments: [{ name: 'id', required: true, variadic: true, doc: 'The transactional ids.' }],
  options: [outputOption],
  examples: ['lks transaction describe billing', 'lks transaction describe billing -o json'],
  async run(given, context) {
    await withCluster(context, async (cluster) => {
      await forEachShown([...new Set(given.arguments)], context, {
        act: (id) => describeTransaction(cluster, id),
        view: (described) => ({
          value: described.map(transactionValue),
          names: described.map(({ id }) => id),
          blocks: described.flatMap(blocksOf),
        }),
        format: formatOf(given),
      })
    })
  },
}

function blocksOf(one: DescribedTransaction): readonly TextBlock[] {
  const { id, state, producerId, producerEpoch, timeoutMs, coordinator, topics } = one
  const facts = fieldsBlock([
    ['Transactional id', id],
    ['State', state],
    ['Producer', `${producerId}, epoch ${producerEpoch}`],
    ['Started', startOf(one)],
    ['Time-out', `${timeoutMs} ms`],
    ['Coordinator', `${coordinator.id} at ${asServer(coordinator)}`],
  ])
  return topics.length === 0 ? [facts] : [facts, tableBlock(columns, topics)]
}

const columns: readonly Column<DescribedTransaction['topics'][number]>[] = [
  { header: 'TOPIC', value: ({ topic }) => topic },
  { header: 'PARTITIONS', value: ({ partitions }) => ranges(partitions) },
]

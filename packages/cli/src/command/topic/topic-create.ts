// lks topic create: creates one or more topics with the same settings.
import type { CreatedTopic } from '@platformatic/kafka'
import { rejectionIn } from '../../cluster/client-errors.ts'
import { withCluster } from '../../cluster/cluster-client.ts'
import type { ClientCommand } from '../client-command.ts'
import { configPairs, countAbove } from '../config-pairs.ts'
import { forEachName } from '../each.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'

export const topicCreate: ClientCommand = {
  path: ['topic', 'create'],
  summary: 'Create topics.',
  arguments: [{ name: 'topic', required: true, variadic: true, doc: 'Their names.' }],
  options: [
    {
      name: 'partitions',
      short: 'p',
      placeholder: 'count',
      doc: 'The number of partitions. Default: that of the cluster.',
      check: countAbove(1),
    },
    {
      name: 'replication-factor',
      short: 'r',
      placeholder: 'count',
      doc: 'The replication factor. Default: that of the cluster.',
      check: countAbove(1),
    },
    { name: 'config', short: 'c', placeholder: 'key=value', repeatable: true, doc: 'A config of the topics.' },
    { name: 'if-not-exists', doc: 'Ignore a topic that already exists, whatever its settings.' },
    outputOption,
  ],
  examples: [
    'lks topic create orders',
    'lks topic create orders invoices --partitions 6',
    'lks topic create audit -c message.timestamp.type=LogAppendTime',
  ],
  async run(given, context) {
    const configs = [...configPairs(given.options('config'), '--config')]
    const asked = { partitions: count(given.option('partitions')), replicas: count(given.option('replication-factor')), configs }
    const created: CreatedTopic[] = []
    await withCluster(context, async (cluster) => {
      const create = async (name: string): Promise<void> => {
        try {
          created.push(...(await cluster.withRetries(() => cluster.admin.createTopics({ topics: [name], ...asked }))))
        } catch (error) {
          if (!given.flag('if-not-exists') || rejectionIn(error)?.id !== 'TOPIC_ALREADY_EXISTS') throw error
          context.terminal.talk.write(`${name} already exists\n`)
        }
      }
      try {
        await forEachName(given.arguments, context, create)
      } finally {
        show(context.terminal, formatOf(given), {
          value: created.map(({ name, id, partitions, replicas }) => ({ name, id, partitions, replicationFactor: replicas })),
          names: created.map(({ name }) => name),
          blocks: created.length === 0 ? [] : [tableBlock(columns, created)],
        })
      }
    })
  },
}

const columns: readonly Column<CreatedTopic>[] = [
  { header: 'CREATED', value: ({ name }) => name },
  // A cluster before Kafka 2.4 does not report it.
  { header: 'PARTITIONS', value: ({ partitions }) => (partitions < 0 ? '-' : partitions), align: 'right' },
  { header: 'REPLICAS', value: ({ replicas }) => (replicas < 0 ? '-' : replicas), align: 'right' },
]

/** -1: the default of the cluster. */
function count(text: string | undefined): number {
  return text === undefined ? -1 : Number(text)
}

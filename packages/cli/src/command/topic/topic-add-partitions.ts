// lks topic add-partitions: gives a topic more partitions; the number can never decrease.
import { UserError } from 'local-kafka-service/internal/user-error'
import { withCluster } from '../../cluster/cluster-client.ts'
import { clusterState } from '../../cluster/cluster-metadata.ts'
import type { ClientCommand, ParsedCommand } from '../client-command.ts'
import { countAbove } from '../config-pairs.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import { existing } from './topic-names.ts'

export const topicAddPartitions: ClientCommand = {
  path: ['topic', 'add-partitions'],
  summary: 'Add partitions to a topic.',
  arguments: [{ name: 'topic', required: true, doc: 'Its name.', completes: 'topic' }],
  options: [
    { name: 'to', placeholder: 'count', doc: 'The new number of partitions.', check: countAbove(1) },
    { name: 'add', placeholder: 'count', doc: 'The number of partitions to add.', check: countAbove(1) },
    outputOption,
  ],
  examples: ['lks topic add-partitions orders --to 12', 'lks topic add-partitions orders --add 3'],
  async run(given, context) {
    const wanted = wantedCount(given)
    await withCluster(context, async (cluster) => {
      const [name = ''] = given.arguments
      const topic = existing(cluster, await clusterState(cluster, [name]), name)
      const before = topic.partitions.length
      const after = wanted.kind === 'to' ? wanted.count : before + wanted.count
      if (after <= before)
        throw new UserError('LKS-1004', {
          what: `topic '${topic.name}' already has ${before} partitions`,
          why: 'partitions can only be added: removing one would lose its records',
          fix: [`use more than ${before}: --to ${before + 1}`],
        })
      const asked = { name: topic.name, count: after, assignments: null }
      await cluster.withRetries(() => cluster.admin.createPartitions({ topics: [asked] }))
      context.terminal.talk.write('new records may go to a different partition than older records with the same key\n')
      show(context.terminal, formatOf(given), {
        value: { name: topic.name, before, partitions: after },
        names: [topic.name],
        blocks: [
          tableBlock(
            [
              { header: 'TOPIC', value: () => topic.name },
              { header: 'BEFORE', value: () => before, align: 'right' },
              { header: 'PARTITIONS', value: () => after, align: 'right' },
            ],
            [topic],
          ),
        ],
      })
    })
  },
}

function wantedCount(given: ParsedCommand): { readonly kind: 'to' | 'add'; readonly count: number } {
  const to = given.option('to')
  const add = given.option('add')
  if (to !== undefined && add === undefined) return { kind: 'to', count: Number(to) }
  if (add !== undefined && to === undefined) return { kind: 'add', count: Number(add) }
  throw new UserError('LKS-1005', {
    what: 'exactly one of --to and --add is required',
    fix: ['the new number of partitions: --to 12', 'the number to add: --add 3'],
  })
}

// lks topic add-partitions: a topic gets more partitions; it never gets fewer.
import { withCluster } from '../../cluster/cluster.ts'
import { clusterState } from '../../cluster/cluster-metadata.ts'
import { UserError } from '../../user-error.ts'
import type { ClientCommand, Given } from '../client-command.ts'
import { countAbove } from '../config-pairs.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import { existing } from './topic-names.ts'

export const topicAddPartitions: ClientCommand = {
  path: ['topic', 'add-partitions'],
  summary: 'Give a topic more partitions.',
  arguments: [{ name: 'topic', required: true, doc: 'Its name.', completes: 'topic' }],
  options: [
    { name: 'to', placeholder: 'count', doc: 'How many there are then.', check: countAbove(1) },
    { name: 'add', placeholder: 'count', doc: 'How many come to those that are there.', check: countAbove(1) },
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
          what: `topic '${topic.name}' has ${before} partitions already`,
          why: 'partitions can be added, never taken away: their records would be lost',
          fix: [`give more than ${before}: --to ${before + 1}`],
        })
      const asked = { name: topic.name, count: after, assignments: null }
      await cluster.patiently(() => cluster.admin.createPartitions({ topics: [asked] }))
      context.terminal.talk.write('from now on keys may fall into other partitions than before\n')
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

function wantedCount(given: Given): { readonly kind: 'to' | 'add'; readonly count: number } {
  const to = given.option('to')
  const add = given.option('add')
  if (to !== undefined && add === undefined) return { kind: 'to', count: Number(to) }
  if (add !== undefined && to === undefined) return { kind: 'add', count: Number(add) }
  throw new UserError('LKS-1005', {
    what: 'either --to or --add says how many partitions',
    fix: ['say how many there are then: --to 12', 'say how many come: --add 3'],
  })
}
